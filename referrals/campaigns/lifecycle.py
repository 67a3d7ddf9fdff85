"""Campaigns: drafted, revised, published, paused, resumed, ended and funded by people."""

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
from referrals.campaigns import budget as budgets
from referrals.campaigns.budget import Funding
from referrals.campaigns.policy_json import link_json, policy_json
from referrals.campaigns.terms_json import terms_json
from referrals.campaigns.views import Draft
from referrals.ledger.posting import PostingOutcome

DEFAULT: Final = "default"


class Outcome(StrEnum):
    CHANGED = "changed"
    UNKNOWN = "unknown"
    EXISTS = "exists"
    NOT_ALLOWED = "not_allowed"
    OTHER_CURRENCY = "other_currency"
    REFERENCE_CONFLICT = "reference_conflict"


class Step(StrEnum):
    """What a person may ask of a campaign."""

    PUBLISH = "publish"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"


_S = CampaignStatus
STEPS: Final[dict[Step, tuple[frozenset[CampaignStatus], CampaignStatus]]] = {
    Step.PUBLISH: (frozenset({_S.DRAFT}), _S.PUBLISHED),
    Step.PAUSE: (frozenset({_S.PUBLISHED}), _S.PAUSED),
    Step.RESUME: (frozenset({_S.PAUSED}), _S.PUBLISHED),
    Step.END: (frozenset({_S.DRAFT, _S.PUBLISHED, _S.PAUSED}), _S.ENDED),
}
"""From which statuses a step leads to which."""

WAKING_TRANSITIONS: Final = frozenset({Step.RESUME, Step.END})


async def create(session: Session, draft: Draft, actor: Actor) -> Outcome:
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
        return Outcome.EXISTS
    await _add_version(session, added, draft, actor)
    await _told(session, added, "create", actor)
    return Outcome.CHANGED


async def revise(session: Session, draft: Draft, actor: Actor) -> Outcome:
    """A new version for invitations to come; those made keep the terms that they copied."""
    row = await _locked(session, draft.slug)
    if row is None:
        return Outcome.UNKNOWN
    if row.status is CampaignStatus.ENDED:
        return Outcome.NOT_ALLOWED
    if row.status is not CampaignStatus.DRAFT and row.currency != draft.budget.currency:
        return Outcome.OTHER_CURRENCY
    row.version += 1
    row.currency = draft.budget.currency
    row.starts_at, row.ends_at = draft.starts_at, draft.ends_at
    await _add_version(session, row, draft, actor)
    await _told(session, row, "revise", actor)
    return Outcome.CHANGED


async def take(session: Session, slug: str, step: Step, actor: Actor, *, at: datetime) -> Outcome:
    """Publishing funds the campaign with its planned budget, once; `fund` adds to that."""
    row = await _locked(session, slug)
    if row is None:
        return Outcome.UNKNOWN
    allowed_from, target = STEPS[step]
    if row.status not in allowed_from:
        return Outcome.NOT_ALLOWED
    row.closed_since = _closed_since(row, step, at)
    row.status = target
    act = await _told(session, row, step, actor)
    if step is Step.PUBLISH:
        await budgets.plan(session, row, at=at)
    if step in WAKING_TRANSITIONS:
        await budgets.wake(session, row, act)
    return Outcome.CHANGED


def _closed_since(row: Campaign, step: Step, at: datetime) -> datetime | None:
    """One that is paused and then ended was closed from the pause on; a draft was never open."""
    if step not in {Step.PAUSE, Step.END}:
        return None
    return at if row.status is CampaignStatus.PUBLISHED else row.closed_since


async def fund(
    session: Session, slug: str, funding: Funding, actor: Actor, *, at: datetime
) -> Outcome:
    """Add to the budget, once per reference."""
    row = await _locked(session, slug)
    if row is None:
        return Outcome.UNKNOWN
    if funding.amount.currency != row.currency:
        return Outcome.OTHER_CURRENCY
    posting = await budgets.add(session, row, funding, at=at)
    if posting is PostingOutcome.POSTED:
        amount = {"minor": funding.amount.minor, "currency": funding.amount.currency}
        details = {**amount, "reference": funding.reference}
        act = await _told(session, row, "fund", actor, details=details)
        await budgets.wake(session, row, act)
    return Outcome.REFERENCE_CONFLICT if posting is None else Outcome.CHANGED


async def _locked(session: Session, slug: str) -> Campaign | None:
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


async def _told(
    session: Session,
    row: Campaign,
    act: str,
    actor: Actor,
    *,
    details: dict[str, Any] | None = None,
) -> int:
    return await audit.write(
        session,
        actor,
        action=f"campaign.{act}",
        subject=f"campaign:{row.slug}",
        details={"version": row.version, **(details or {})},
    )
