"""Campaigns as people write and read them, with what is left of their budgets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, Select, func, select

from db.engine import ReadSession
from db.tables import AccountRow, Campaign, CampaignVersion
from domain.attribution.policy import Policy
from domain.campaigns.terms import CampaignStatus, LinkOptions, Terms
from domain.ledger.movements import Book
from domain.money import Money
from referrals.campaigns.versions import IS_CURRENT_VERSION, link_from, policy_from, terms_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The content of a campaign's next version."""

    slug: str
    name: str
    starts_at: datetime
    ends_at: datetime | None
    destination: str
    budget: Money
    terms: Terms
    attribution: Policy
    link: LinkOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignView(Draft):
    """The current version of a campaign, and what is left of its budget."""

    status: CampaignStatus
    version: int
    available_budget: Money
    created_at: datetime


async def find_campaign(session: ReadSession, slug: str) -> CampaignView | None:
    row = (await session.execute(_views().where(Campaign.slug == slug))).one_or_none()
    return _view(row) if row else None


async def list_campaigns(
    session: ReadSession, *, after: str | None, limit: int
) -> Sequence[CampaignView]:
    """Return up to `limit` campaigns behind the slug `after`, in the order of their slugs."""
    query = _views().order_by(Campaign.slug).limit(limit)
    if after is not None:
        query = query.where(Campaign.slug > after)
    return [_view(row) for row in await session.execute(query)]


def _views() -> Select[Campaign, CampaignVersion, int]:
    return (
        select(Campaign, CampaignVersion, func.coalesce(AccountRow.balance_minor, 0))
        .join(CampaignVersion, IS_CURRENT_VERSION)
        .outerjoin(
            AccountRow,
            (AccountRow.campaign_id == Campaign.id)
            & (AccountRow.book == Book.CAMPAIGN)
            & (AccountRow.currency == Campaign.currency),
        )
    )


def _view(row: Row[Campaign, CampaignVersion, int]) -> CampaignView:
    campaign, version, available = row
    return CampaignView(
        slug=campaign.slug,
        name=version.name,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        destination=version.destination,
        budget=Money(version.budget_minor, campaign.currency),
        terms=terms_from(version.terms),
        attribution=policy_from(version.attribution),
        link=link_from(version.link),
        status=campaign.status,
        version=campaign.version,
        available_budget=Money(available, campaign.currency),
        created_at=campaign.created_at,
    )
