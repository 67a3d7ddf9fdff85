"""Publishing: a second person makes a version live, once it passes the checks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy.dialects.postgresql import insert

from db.engine import Session
from db.reporters import Reporter, note_caller
from db.tables import Campaign, CampaignPublication, CampaignVersion
from domain.campaigns.publishing import (
    Ceilings,
    Publishable,
    PublishingFault,
    beyond_ceiling,
    publishing_faults,
)
from domain.campaigns.terms import CampaignStatus
from domain.money import Money
from referrals.access.approvals import Approvable, approve
from referrals.access.audit import Actor
from referrals.campaigns import budget, funds_queue
from referrals.campaigns.budget import Funding
from referrals.campaigns.funding import publish_budget
from referrals.campaigns.outcomes import TransitionOutcome
from referrals.campaigns.store import load_version, lock_campaign, write_audit
from referrals.campaigns.versions import options_from
from referrals.campaigns.views import draft_of

PUBLISH: Final = "publish"
REPLACE: Final = "replace"
"""The audit's word for a proposal that became live; the campaign's status stays."""


class NotPublishableError(ValueError):
    """A version does not pass the checks; `faults` name its fields."""

    def __init__(self, faults: tuple[PublishingFault, ...]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = faults


class VersionChangedError(ValueError):
    """Another version would be published than the one that was named; `proposed` is its number."""

    def __init__(self, proposed: int) -> None:
        super().__init__(f"version {proposed} would be published")
        self.proposed = proposed


async def publish_campaign(
    session: Session,
    slug: str,
    actor: Actor,
    *,
    ceilings: Ceilings,
    at: datetime,
    version: int | None = None,
) -> TransitionOutcome:
    """Make a draft or a proposal live, by another person than the one who wrote it.

    `version` is the number of the one that they read: VersionChangedError where another one waits,
    and without it whichever waits is published. The first publication funds the campaign with its
    planned budgets. NotPublishableError for a version that does not pass the checks.
    """
    row = await lock_campaign(session, slug)
    if row is None:
        return TransitionOutcome.UNKNOWN
    is_draft = row.status is CampaignStatus.DRAFT
    if row.status is CampaignStatus.ENDED or not (is_draft or row.proposed_version):
        return TransitionOutcome.NOT_ALLOWED
    proposed = await load_version(session, row, row.proposed_version or row.version)
    if version not in {None, proposed.version}:
        raise VersionChangedError(proposed.version)
    asked = Approvable(subject=f"campaign:{slug}", action=PUBLISH, content=str(proposed.id))
    if not await approve(session, asked, actor, proposed_by=proposed.author, at=at):
        return TransitionOutcome.SECOND_PERSON
    offer = draft_of(row, proposed).offer
    faults = publishing_faults(offer, ceilings, at=at)
    if faults:
        raise NotPublishableError(faults)
    funded = await _funded_minor(session, row, offer, ceilings)
    await make_live(session, row, proposed, actor, at=at)
    faults = _faults_of_funding(
        funded, await _funded_minor(session, row, offer, ceilings), ceilings
    )
    if faults:
        raise NotPublishableError(faults)
    return TransitionOutcome.CHANGED


async def make_live(
    session: Session, row: Campaign, version: CampaignVersion, actor: Actor, *, at: datetime
) -> None:
    """Make a version of a locked campaign the one that later invitations promise."""
    is_first = row.status is CampaignStatus.DRAFT
    is_moved = version.starts_at is not None and row.ends_at != version.ends_at
    row.version, row.proposed_version = version.version, None
    if version.starts_at is not None:
        row.starts_at, row.ends_at = version.starts_at, version.ends_at
    if is_first:
        row.status = CampaignStatus.PUBLISHED
    action = PUBLISH if is_first else REPLACE
    audit_id = await write_audit(session, row, action, actor)
    await _record_publication(session, row, actor)
    note_caller(session, Reporter(actor.name, actor.request_id))
    if is_first:
        await budget.fund_planned_budget(session, row, at=at)
    for planned in options_from(version.options).currencies:
        await _fund_currency(session, row, planned, actor, at=at)
    await session.flush()
    if is_moved:
        await funds_queue.wake_for_move(session, row.id, row.currency, audit_id=audit_id)


async def _record_publication(session: Session, row: Campaign, actor: Actor) -> None:
    values = {"campaign_id": row.id, "version": row.version, "published_by": actor.name}
    await session.execute(insert(CampaignPublication).values(values).on_conflict_do_nothing())


async def _fund_currency(
    session: Session, row: Campaign, planned: Money, actor: Actor, *, at: datetime
) -> None:
    """Fund a budget beside the first, once, when it is first published."""
    if planned.minor:
        funding = Funding(planned, f"publish {planned.currency}")
        await publish_budget(session, row, funding, actor, at=at)


async def _funded_minor(
    session: Session, row: Campaign, offer: Publishable, ceilings: Ceilings
) -> dict[str, int]:
    """Return what was put into each budget of an offer, by its field, where there is a ceiling."""
    if ceilings.budget_minor is None:
        return {}
    currencies = {"budget.minor": offer.budget.currency} | {
        f"currencies[{index}].minor": other.currency for index, other in enumerate(offer.currencies)
    }
    return {
        field: await budget.load_funded_minor(session, row, currency)
        for field, currency in currencies.items()
    }


def _faults_of_funding(
    before: Mapping[str, int], after: Mapping[str, int], ceilings: Ceilings
) -> tuple[PublishingFault, ...]:
    """Return the budgets that a publication would bring beyond the ceiling, funded before it."""
    most_minor = ceilings.budget_minor
    return tuple(
        beyond_ceiling(field, most_minor)
        for field, minor in after.items()
        if most_minor is not None and minor > max(most_minor, before[field])
    )
