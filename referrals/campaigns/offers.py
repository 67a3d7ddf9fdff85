"""Offers of codes: a code's campaign with its current version, and the schedules of campaigns."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Row, Select, exists, select
from sqlalchemy.orm import aliased

from db.engine import ReadSession, Session
from db.tables import Campaign, CampaignVersion, ReferralCode, SwitchRow
from domain.attribution.policy import Policy, Refusal, refusal_of_schedule
from domain.campaigns import default_offer
from domain.campaigns.switches import ALL
from domain.campaigns.terms import CampaignStatus, LinkOptions, Schedule, Terms
from referrals.campaigns.variants import promised_to
from referrals.campaigns.versions import (
    IS_CURRENT_VERSION,
    link_from,
    options_from,
    policy_from,
    terms_from,
)

OfferRow = Row[ReferralCode, Campaign, CampaignVersion, bool]

_LATER: Final = aliased(SwitchRow)
IS_SWITCHED_OFF: Final = exists().where(
    SwitchRow.is_off,
    SwitchRow.scope.in_([ALL, "campaign:" + Campaign.slug]),
    ~exists().where(_LATER.scope == SwitchRow.scope, _LATER.id > SwitchRow.id),
)
"""Condition of a campaign whose own switch, or the one of everything, is off now.

Part of the queries that look for its codes, so that a switch takes effect at once and costs none.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A code with the campaign behind it."""

    code: str
    player_id: str
    campaign: str
    schedule: Schedule
    destination: str
    terms: Terms
    """Terms of the invitations of this code now, its owner's variant included."""
    policy: Policy
    link: LinkOptions
    is_switched_off: bool = False
    variant: str | None = None


async def find(session: ReadSession, code: str) -> Offer | None:
    """Return the offer behind a normalised code, or None for a code that nobody has."""
    row = await find_row(session, code)
    return row and offer_of(row)


async def find_row(session: ReadSession, code: str) -> OfferRow | None:
    """Return a code with its campaign and the version that counts now."""
    return (await session.execute(_select_current().where(ReferralCode.code == code))).one_or_none()


async def offers_of_player(session: ReadSession, player_id: str) -> list[Offer]:
    """Return the offers behind all codes of a player, the oldest code first."""
    query = _select_current().where(ReferralCode.player_id == player_id)
    rows = await session.execute(query.order_by(ReferralCode.created_at, ReferralCode.code))
    return [offer_of(row) for row in rows]


async def default_destination(session: ReadSession) -> str | None:
    """Return where links of the default campaign lead, or None before it is published."""
    query = select(CampaignVersion.destination).join(Campaign, IS_CURRENT_VERSION)
    is_public = Campaign.status != CampaignStatus.DRAFT
    return await session.scalar(query.where(Campaign.slug == default_offer.SLUG, is_public))


def refusal_of_offer(offer: Offer | None, *, at: datetime) -> Refusal | None:
    """Return why a code attributes nobody at a time, or None; an unknown code has no offer."""
    if offer is None:
        return Refusal.UNKNOWN_CODE
    refusal = refusal_of_schedule(offer.schedule, at=at)
    return refusal or (Refusal.SWITCHED_OFF if offer.is_switched_off else None)


def offer_of(row: OfferRow) -> Offer:
    code, campaign, version, is_switched_off = row
    promised = promised_to(
        version.terms, version.variants, slug=campaign.slug, referrer_id=code.player_id
    )
    return Offer(
        code=code.code,
        player_id=code.player_id,
        campaign=campaign.slug,
        schedule=schedule_of(campaign),
        destination=version.destination,
        terms=terms_from(promised.terms),
        policy=policy_from(version.attribution),
        link=link_from(version.link),
        is_switched_off=is_switched_off,
        variant=promised.variant,
    )


def schedule_of(campaign: Campaign) -> Schedule:
    return Schedule(
        status=campaign.status,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        closed_since=campaign.closed_since,
    )


async def load_schedule(session: Session, campaign_id: UUID) -> Schedule:
    """Return the schedule of a campaign, without the time at which a person closed it.

    It stays as it is until the transaction ends: nobody can end the campaign, and wake those that
    wait for its money, while a referral joins them.
    """
    query = select(Campaign.status, Campaign.starts_at, Campaign.ends_at)
    query = query.where(Campaign.id == campaign_id).with_for_update(read=True)
    row = (await session.execute(query)).one()
    return Schedule(status=row.status, starts_at=row.starts_at, ends_at=row.ends_at)


async def load_priorities(session: ReadSession, slugs: Collection[str]) -> Mapping[str, int]:
    """Return the priority of each campaign's live version, where it is not the usual one."""
    query = select(Campaign.slug, CampaignVersion.options).join(CampaignVersion, IS_CURRENT_VERSION)
    found = await session.execute(query.where(Campaign.slug.in_(slugs)))
    priorities = {slug: options_from(stored).priority for slug, stored in found}
    return {slug: priority for slug, priority in priorities.items() if priority}


def _select_current() -> Select[ReferralCode, Campaign, CampaignVersion, bool]:
    return (
        select(ReferralCode, Campaign, CampaignVersion, IS_SWITCHED_OFF)
        .join(Campaign, Campaign.id == ReferralCode.campaign_id)
        .join(CampaignVersion, IS_CURRENT_VERSION)
    )
