"""Changes of campaigns by people: drafts, revisions, status transitions and funding."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import uuid4, uuid5

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from db.engine import Session
from db.tables import Campaign, CampaignVersion
from domain.campaigns.terms import CampaignStatus
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.campaigns import budget
from referrals.campaigns.budget import Funding
from referrals.campaigns.versions import link_json, policy_json, terms_json
from referrals.campaigns.views import Draft
from referrals.ledger.posting import PostingOutcome

DEFAULT_SLUG: Final = "default"


class TransitionOutcome(StrEnum):
    CHANGED = "changed"
    UNKNOWN = "unknown"
    EXISTS = "exists"
    NOT_ALLOWED = "not_allowed"
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

WAKING_TRANSITIONS: Final = frozenset({CampaignTransition.RESUME, CampaignTransition.END})


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
    """Write a new version for later invitations; earlier ones keep the terms that they copied."""
    row = await _lock_campaign(session, draft.slug)
    if row is None:
        return TransitionOutcome.UNKNOWN
    if row.status is CampaignStatus.ENDED:
        return TransitionOutcome.NOT_ALLOWED
    if row.status is not CampaignStatus.DRAFT and row.currency != draft.budget.currency:
        return TransitionOutcome.OTHER_CURRENCY
    row.version += 1
    row.currency = draft.budget.currency
    row.starts_at, row.ends_at = draft.starts_at, draft.ends_at
    await _add_version(session, row, draft, actor)
    await _write_audit(session, row, "revise", actor)
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
    if transition in WAKING_TRANSITIONS:
        await budget.wake_waiting_referrals(session, row, audit_id)
    return TransitionOutcome.CHANGED


async def fund_campaign(
    session: Session, slug: str, funding: Funding, actor: Actor, *, at: datetime
) -> TransitionOutcome:
    """Add to a campaign's budget, once per reference."""
    row = await _lock_campaign(session, slug)
    if row is None:
        return TransitionOutcome.UNKNOWN
    if funding.amount.currency != row.currency:
        return TransitionOutcome.OTHER_CURRENCY
    posting = await budget.add_funding(session, row, funding, at=at)
    if posting is PostingOutcome.POSTED:
        amount = {"minor": funding.amount.minor, "currency": funding.amount.currency}
        details = {**amount, "reference": funding.reference}
        audit_id = await _write_audit(session, row, "fund", actor, details=details)
        await budget.wake_waiting_referrals(session, row, audit_id)
    return TransitionOutcome.REFERENCE_CONFLICT if posting is None else TransitionOutcome.CHANGED


def _closed_since(row: Campaign, transition: CampaignTransition, at: datetime) -> datetime | None:
    """Return when it was closed: since a pause if it is then ended; never for a draft."""
    if transition not in {CampaignTransition.PAUSE, CampaignTransition.END}:
        return None
    return at if row.status is CampaignStatus.PUBLISHED else row.closed_since


async def _lock_campaign(session: Session, slug: str) -> Campaign | None:
    query = select(Campaign).where(Campaign.slug == slug)
    return await session.scalar(query.with_for_update(key_share=True))


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
