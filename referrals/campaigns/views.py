"""Campaigns as people write and read them, with what is left of their budgets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, Select, func, select

from db.engine import ReadSession
from db.tables import CAMPAIGN_BUDGETS, Campaign, CampaignVersion
from domain.attribution.policy import Policy
from domain.campaigns.options import DEFAULT_OPTIONS, CampaignOptions
from domain.campaigns.publishing import Publishable
from domain.campaigns.rules_json import write_reward, write_rules
from domain.campaigns.terms import CampaignStatus, LinkOptions, Terms
from domain.campaigns.variants import Variant, flat_rewards
from domain.money import Money
from referrals.campaigns.variants import variants_from
from referrals.campaigns.versions import (
    IS_CURRENT_VERSION,
    link_from,
    options_from,
    policy_from,
    terms_from,
)


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
    options: CampaignOptions = DEFAULT_OPTIONS
    variants: tuple[Variant, ...] = ()

    @property
    def offer(self) -> Publishable:
        """The part that the checks of a publication look at."""
        return Publishable(
            ends_at=self.ends_at,
            destination=self.destination,
            link=self.link,
            budget=self.budget,
            terms=self.terms,
            expected_rewards=self.options.expected_rewards,
            variants=self.variants,
            currencies=self.options.currencies,
        )

    def fields(self) -> dict[str, Any]:
        """Return the values of the body's fields by their paths; a list is one value."""
        content: dict[str, Any] = TypeAdapter(Draft).dump_python(self, mode="json")
        terms, rules = content["terms"], write_rules(self.terms.rules)
        del terms["rules"]
        qualifies = {name: rules.pop(name) for name in ("on", "turnover")}
        rules.pop("currencies", None)
        terms |= {"qualifies": qualifies, **rules}
        content["variants"] = {one.name: _variant_fields(one) for one in self.variants}
        return dict(_leaves(content | content.pop("options")))


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignView(Draft):
    """The live version of a campaign, and what is left of its budgets."""

    status: CampaignStatus
    version: int
    proposed_version: int | None
    available_budget: Money
    available_currencies: tuple[Money, ...]
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


def draft_of(campaign: Campaign, version: CampaignVersion) -> Draft:
    """Return the content of a version; one of release 0.2 has its campaign's dates."""
    return Draft(**_content(campaign, version))


def _variant_fields(variant: Variant) -> dict[str, Any]:
    """Return a variant's weight and all that it promises; no rewards where they are the offer's."""
    promised = variant.promised
    rewards = promised and [
        *(write_reward(rule) for rule in promised.rewards),
        *(write_reward(rule) for rule in flat_rewards(promised)),
    ]
    return {"weight": variant.weight, "rewards": rewards}


def _leaves(content: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, Mapping) and name != "when":
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _views() -> Select[Campaign, CampaignVersion, dict[str, int] | None]:
    budgets = CAMPAIGN_BUDGETS.c
    balances = (
        select(func.jsonb_object_agg(budgets.currency, budgets.free_minor))
        .where(budgets.campaign_id == Campaign.id)
        .correlate(Campaign)
        .scalar_subquery()
    )
    return select(Campaign, CampaignVersion, balances).join(CampaignVersion, IS_CURRENT_VERSION)


def _view(row: Row[Campaign, CampaignVersion, dict[str, int] | None]) -> CampaignView:
    campaign, version, balances = row
    content = _content(campaign, version)
    minor = balances or {}
    return CampaignView(
        **content,
        status=campaign.status,
        version=campaign.version,
        proposed_version=campaign.proposed_version,
        available_budget=Money(minor.get(campaign.currency, 0), campaign.currency),
        available_currencies=tuple(
            Money(minor.get(money.currency, 0), money.currency)
            for money in content["options"].currencies
        ),
        created_at=campaign.created_at,
    )


def _content(campaign: Campaign, version: CampaignVersion) -> dict[str, Any]:
    has_dates = version.starts_at is not None
    return {
        "slug": campaign.slug,
        "name": version.name,
        "starts_at": version.starts_at if has_dates else campaign.starts_at,
        "ends_at": version.ends_at if has_dates else campaign.ends_at,
        "destination": version.destination,
        "budget": Money(version.budget_minor, campaign.currency),
        "terms": terms_from(version.terms),
        "attribution": policy_from(version.attribution),
        "link": link_from(version.link),
        "options": options_from(version.options),
        "variants": variants_from(version.variants),
    }
