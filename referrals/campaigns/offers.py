"""What a code offers now: its campaign, and the version of it that counts."""

from dataclasses import dataclass

from sqlalchemy import Row, Select, select

from db.engine import ReadSession
from db.tables import Campaign, CampaignVersion, ReferralCode
from domain.attribution.policy import Policy
from domain.campaigns.terms import LinkOptions, Schedule, Terms
from referrals.campaigns.policy_json import link_from, policy_from
from referrals.campaigns.terms_json import terms_from

Rows = Row[ReferralCode, Campaign, CampaignVersion]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A code with the campaign behind it."""

    code: str
    player_id: str
    campaign: str
    schedule: Schedule
    destination: str
    terms: Terms
    policy: Policy
    link: LinkOptions


async def find(session: ReadSession, code: str) -> Offer | None:
    """The offer behind a normalised code."""
    row = await find_row(session, code)
    return row and offer_of(row)


async def find_row(session: ReadSession, code: str) -> Rows | None:
    return (await session.execute(_current().where(ReferralCode.code == code))).one_or_none()


def offer_of(row: Rows) -> Offer:
    code, campaign, version = row
    return Offer(
        code=code.code,
        player_id=code.player_id,
        campaign=campaign.slug,
        schedule=schedule_of(campaign),
        destination=version.destination,
        terms=terms_from(version.terms),
        policy=policy_from(version.attribution),
        link=link_from(version.link),
    )


def schedule_of(campaign: Campaign) -> Schedule:
    return Schedule(
        status=campaign.status,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        closed_since=campaign.closed_since,
    )


def _current() -> Select[ReferralCode, Campaign, CampaignVersion]:
    return (
        select(ReferralCode, Campaign, CampaignVersion)
        .join(Campaign, Campaign.id == ReferralCode.campaign_id)
        .join(
            CampaignVersion,
            (CampaignVersion.campaign_id == Campaign.id)
            & (CampaignVersion.version == Campaign.version),
        )
    )
