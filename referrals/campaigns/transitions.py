"""Changes of campaigns by people: drafts, revisions, proposals and status transitions."""

from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy.dialects.postgresql import insert as upsert

from db.engine import Session
from db.tables import Campaign
from domain.campaigns.terms import CampaignStatus
from referrals.access.audit import Actor
from referrals.campaigns import budget, funds_queue
from referrals.campaigns.outcomes import CampaignTransition, TransitionOutcome
from referrals.campaigns.store import (
    FIRST_VERSION,
    add_version,
    latest_version,
    load_version,
    lock_campaign,
    write_audit,
)
from referrals.campaigns.versions import options_from
from referrals.campaigns.views import Draft

_S = CampaignStatus
TRANSITIONS: Final[dict[CampaignTransition, tuple[frozenset[CampaignStatus], CampaignStatus]]] = {
    CampaignTransition.PAUSE: (frozenset({_S.PUBLISHED}), _S.PAUSED),
    CampaignTransition.RESUME: (frozenset({_S.PAUSED}), _S.PUBLISHED),
    CampaignTransition.END: (frozenset({_S.DRAFT, _S.PUBLISHED, _S.PAUSED}), _S.ENDED),
}
"""For each transition the statuses that it may leave, and the one that it enters; the
publication is in publishing.py."""


async def create_campaign(session: Session, draft: Draft, actor: Actor) -> TransitionOutcome:
    values = {
        "id": uuid4(),
        "slug": draft.slug,
        "status": CampaignStatus.DRAFT,
        "version": FIRST_VERSION,
        "starts_at": draft.starts_at,
        "ends_at": draft.ends_at,
        "currency": draft.budget.currency,
    }
    added = await session.scalar(
        upsert(Campaign).values(values).on_conflict_do_nothing().returning(Campaign)
    )
    if added is None:
        return TransitionOutcome.EXISTS
    await add_version(session, added, draft, actor, version=FIRST_VERSION)
    await write_audit(session, added, "create", actor)
    return TransitionOutcome.CHANGED


async def revise_campaign(session: Session, draft: Draft, actor: Actor) -> TransitionOutcome:
    """Write a new version: the content of a draft, or a proposal that changes nothing live yet.

    The currency stays while there is money in it, and once published the planned budgets stay:
    they have been funded, and only funding and defunding change them.
    """
    row = await lock_campaign(session, draft.slug)
    if row is None:
        return TransitionOutcome.UNKNOWN
    if row.status is CampaignStatus.ENDED:
        return TransitionOutcome.NOT_ALLOWED
    is_draft = row.status is CampaignStatus.DRAFT
    if row.currency != draft.budget.currency and (
        not is_draft or await budget.holds_money(session, row)
    ):
        return TransitionOutcome.OTHER_CURRENCY
    if not is_draft and not await _keeps_budgets(session, row, draft):
        return TransitionOutcome.BUDGET_IS_FUNDED
    version = await latest_version(session, row) + 1
    if is_draft:
        row.version, row.currency = version, draft.budget.currency
        row.starts_at, row.ends_at = draft.starts_at, draft.ends_at
    else:
        row.proposed_version = version
    await add_version(session, row, draft, actor, version=version)
    await write_audit(session, row, "revise", actor, details={"version": version})
    return TransitionOutcome.CHANGED


async def withdraw_proposal(session: Session, slug: str, actor: Actor) -> TransitionOutcome:
    """Drop the proposal of a campaign; its version stays in the list of versions."""
    row = await lock_campaign(session, slug)
    if row is None:
        return TransitionOutcome.UNKNOWN
    if row.proposed_version is None:
        return TransitionOutcome.NO_PROPOSAL
    await write_audit(session, row, "withdraw", actor, details={"version": row.proposed_version})
    row.proposed_version = None
    return TransitionOutcome.CHANGED


async def apply_transition(
    session: Session, slug: str, transition: CampaignTransition, actor: Actor, *, at: datetime
) -> TransitionOutcome:
    """Pause, resume or end a campaign; its end drops its proposal."""
    row = await lock_campaign(session, slug)
    if row is None:
        return TransitionOutcome.UNKNOWN
    allowed_from, target = TRANSITIONS[transition]
    if row.status not in allowed_from:
        return TransitionOutcome.NOT_ALLOWED
    row.closed_since = _closed_since(row, transition, at)
    row.status = target
    if target is CampaignStatus.ENDED:
        row.proposed_version = None
    audit_id = await write_audit(session, row, transition, actor)
    await session.flush()
    if transition is CampaignTransition.RESUME:
        await funds_queue.wake_for_money(session, row.id, row.currency, audit_id=audit_id)
    if transition is CampaignTransition.END:
        await funds_queue.wake_for_end(session, row.id, row.currency, audit_id=audit_id)
    return TransitionOutcome.CHANGED


def _closed_since(row: Campaign, transition: CampaignTransition, at: datetime) -> datetime | None:
    """Return when it was closed: since a pause if it is then ended; never for a draft."""
    if transition not in {CampaignTransition.PAUSE, CampaignTransition.END}:
        return None
    return at if row.status is CampaignStatus.PUBLISHED else row.closed_since


async def _keeps_budgets(session: Session, row: Campaign, draft: Draft) -> bool:
    """Return whether a proposal leaves the funded budgets alone; it may add a currency."""
    live = await load_version(session, row, row.version)
    funded = set(options_from(live.options).currencies)
    return live.budget_minor == draft.budget.minor and funded <= set(draft.options.currencies)
