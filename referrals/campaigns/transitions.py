"""Changes of campaigns by people: drafts, revisions, status transitions and funding."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import uuid4, uuid5

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from db.engine import Session
from db.tables import Campaign, CampaignVersion, TransferRow
from domain.campaigns.terms import CampaignStatus
from domain.ledger.movements import Movement
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.campaigns import budget, funds_queue
from referrals.campaigns.budget import BudgetOutcome, Funding
from referrals.campaigns.offers import schedule_of
from referrals.campaigns.versions import link_json, policy_json, terms_json
from referrals.campaigns.views import Draft

DEFAULT_SLUG: Final = "default"


class TransitionOutcome(StrEnum):
    CHANGED = "changed"
    UNKNOWN = "unknown"
    EXISTS = "exists"
    NOT_ALLOWED = "not_allowed"
    HAS_ENDED = "has_ended"
    BUDGET_IS_FUNDED = "budget_is_funded"
    INSUFFICIENT = "insufficient"
    OTHER_CURRENCY = "other_currency"
    REFERENCE_CONFLICT = "reference_conflict"


class CampaignTransition(StrEnum):
    """A change of status that a person may ask for."""

    PUBLISH = "publish"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"


_S = CampaignStatus
TRANSITIONS: Final[dict[CampaignTransition, tuple[frozenset[CampaignStatus], CampaignStatus]]] = {
    CampaignTransition.PUBLISH: (frozenset({_S.DRAFT}), _S.PUBLISHED),
    CampaignTransition.PAUSE: (frozenset({_S.PUBLISHED}), _S.PAUSED),
    CampaignTransition.RESUME: (frozenset({_S.PAUSED}), _S.PUBLISHED),
    CampaignTransition.END: (frozenset({_S.DRAFT, _S.PUBLISHED, _S.PAUSED}), _S.ENDED),
}
"""For each transition the statuses that it may leave, and the one that it enters."""


UNMOVED: Final = {
    BudgetOutcome.ALREADY_POSTED: TransitionOutcome.CHANGED,
    BudgetOutcome.INSUFFICIENT: TransitionOutcome.INSUFFICIENT,
    BudgetOutcome.REFERENCE_CONFLICT: TransitionOutcome.REFERENCE_CONFLICT,
}


async def create_campaign(session: Session, draft: Draft, actor: Actor) -> TransitionOutcome:
    values = {
        "id": uuid4(),
        "slug": draft.slug,
        "status": CampaignStatus.DRAFT,
        "version": 1,
        "starts_at": draft.starts_at,
        "ends_at": draft.ends_at,
        "currency": draft.budget.currency,
    }
    added = await session.scalar(
        upsert(Campaign).values(values).on_conflict_do_nothing().returning(Campaign)
    )
    if added is None:
        return TransitionOutcome.EXISTS
    await _add_version(session, added, draft, actor)
    await _write_audit(session, added, "create", actor)
    return TransitionOutcome.CHANGED


async def revise_campaign(session: Session, draft: Draft, actor: Actor) -> TransitionOutcome:
    """Write a new version for later invitations; earlier ones keep the terms that they copied.

    The currency stays while there is money in it, and once published the planned budget stays:
    it has been funded, and only funding and defunding change it. Another end wakes the referrals
    that wait for it.
    """
    row = await _lock_campaign(session, draft.slug)
    if row is None:
        return TransitionOutcome.UNKNOWN
    if row.status is CampaignStatus.ENDED:
        return TransitionOutcome.NOT_ALLOWED
    is_draft = row.status is CampaignStatus.DRAFT
    if row.currency != draft.budget.currency and (
        not is_draft or await budget.holds_money(session, row)
    ):
        return TransitionOutcome.OTHER_CURRENCY
    if not is_draft and draft.budget.minor != await budget.load_planned_minor(session, row):
        return TransitionOutcome.BUDGET_IS_FUNDED
    row.version += 1
    row.currency = draft.budget.currency
    is_moved = row.ends_at != draft.ends_at
    row.starts_at, row.ends_at = draft.starts_at, draft.ends_at
    await _add_version(session, row, draft, actor)
    audit_id = await _write_audit(session, row, "revise", actor)
    if is_moved:
        await session.flush()
        await funds_queue.wake_for_move(session, row.id, row.currency, audit_id=audit_id)
    return TransitionOutcome.CHANGED


async def apply_transition(
    session: Session, slug: str, transition: CampaignTransition, actor: Actor, *, at: datetime
) -> TransitionOutcome:
    """Change a campaign's status; publishing also funds it with its planned budget, once."""
    row = await _lock_campaign(session, slug)
    if row is None:
        return TransitionOutcome.UNKNOWN
    allowed_from, target = TRANSITIONS[transition]
    if row.status not in allowed_from:
        return TransitionOutcome.NOT_ALLOWED
    row.closed_since = _closed_since(row, transition, at)
    row.status = target
    audit_id = await _write_audit(session, row, transition, actor)
    if transition is CampaignTransition.PUBLISH:
        await budget.fund_planned_budget(session, row, at=at)
    await session.flush()
    if transition is CampaignTransition.RESUME:
        await funds_queue.wake_for_money(session, row.id, row.currency, audit_id=audit_id)
    if transition is CampaignTransition.END:
        await funds_queue.wake_for_end(session, row.id, row.currency, audit_id=audit_id)
    return TransitionOutcome.CHANGED


async def fund_campaign(
    session: Session, slug: str, funding: Funding, actor: Actor, *, at: datetime
) -> TransitionOutcome:
    """Add to a campaign's budget, once per reference; never to that of one that has ended."""
    row = await _keep_campaign(session, slug)
    if row is None:
        return TransitionOutcome.UNKNOWN
    if funding.amount.currency != row.currency:
        return TransitionOutcome.OTHER_CURRENCY
    found = await budget.find_funding(session, row, Movement.FUND, funding.reference)
    if not isinstance(found, TransferRow) and schedule_of(row).has_ended(at):
        return TransitionOutcome.HAS_ENDED
    outcome, audit_id = await _move_budget(session, row, Movement.FUND, funding, actor, at=at)
    if audit_id is not None:
        await funds_queue.wake_for_money(session, row.id, row.currency, audit_id=audit_id)
    return outcome


async def defund_campaign(
    session: Session, slug: str, funding: Funding, actor: Actor, *, at: datetime
) -> TransitionOutcome:
    """Take back what is free of a campaign's budget, once per reference, whatever its status.

    Also in a currency that is no longer the campaign's.
    """
    row = await _keep_campaign(session, slug)
    if row is None:
        return TransitionOutcome.UNKNOWN
    outcome, _ = await _move_budget(session, row, Movement.DEFUND, funding, actor, at=at)
    return outcome


async def _move_budget(
    session: Session,
    row: Campaign,
    movement: Movement,
    funding: Funding,
    actor: Actor,
    *,
    at: datetime,
) -> tuple[TransitionOutcome, int | None]:
    """FUND or DEFUND; return the outcome, and the id of the audit row if money moved now."""
    outcome = await budget.post_funding(session, row, movement, funding, at=at)
    if outcome is not BudgetOutcome.POSTED:
        return UNMOVED[outcome], None
    amount = {"minor": funding.amount.minor, "currency": funding.amount.currency}
    details = {**amount, "reference": funding.reference}
    audit_id = await _write_audit(session, row, movement, actor, details=details)
    return TransitionOutcome.CHANGED, audit_id


def _closed_since(row: Campaign, transition: CampaignTransition, at: datetime) -> datetime | None:
    """Return when it was closed: since a pause if it is then ended; never for a draft."""
    if transition not in {CampaignTransition.PAUSE, CampaignTransition.END}:
        return None
    return at if row.status is CampaignStatus.PUBLISHED else row.closed_since


async def _lock_campaign(session: Session, slug: str) -> Campaign | None:
    query = select(Campaign).where(Campaign.slug == slug)
    return await session.scalar(query.with_for_update(key_share=True))


async def _keep_campaign(session: Session, slug: str) -> Campaign | None:
    """Keep a campaign as it is until the transaction ends.

    Shared, because who moves money locks an account next, and a referral that holds the account's
    lock keeps the campaign, too, when it joins the funds queue.
    """
    query = select(Campaign).where(Campaign.slug == slug)
    return await session.scalar(query.with_for_update(read=True))


async def _add_version(session: Session, row: Campaign, draft: Draft, actor: Actor) -> None:
    await session.execute(
        insert(CampaignVersion).values(
            id=uuid5(row.id, f"version:{row.version}"),
            campaign_id=row.id,
            version=row.version,
            name=draft.name,
            destination=draft.destination,
            budget_minor=draft.budget.minor,
            terms=terms_json(draft.terms),
            attribution=policy_json(draft.attribution),
            link=link_json(draft.link),
            author=actor.name,
        )
    )


async def _write_audit(
    session: Session,
    row: Campaign,
    action: str,
    actor: Actor,
    *,
    details: dict[str, Any] | None = None,
) -> int:
    return await audit.write(
        session,
        actor,
        action=f"campaign.{action}",
        subject=f"campaign:{row.slug}",
        details={"version": row.version, **(details or {})},
    )
