"""Simulations: a past period of a campaign replayed by a version's terms; nothing is written."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import CAMPAIGN_BUDGETS, Campaign, CampaignVersion
from domain.campaigns.limits.decision import LimitOf
from domain.campaigns.limits.periods import Calendar, TaxYearStart
from domain.campaigns.terms import CampaignStatus, Terms
from domain.campaigns.variants import terms_of_variant, variant_of
from domain.rewards.replay import Replay, Surroundings
from domain.rewards.simulation import (
    Earned,
    Missed,
    Payment,
    PlayedReferral,
    judge_played,
)
from referrals.campaigns.exchange.lookup import Promise, each_with_rates
from referrals.campaigns.store import load_version
from referrals.campaigns.views import Draft, draft_of
from referrals.lifecycle.turnover import load_turnovers
from referrals.reporting.explanations import UnknownVersionError
from referrals.reporting.played_referrals import (
    History,
    Span,
    count_invited,
    counted_of_campaign,
    played_referrals,
)
from referrals.reporting.simulation_report import Replayed, Simulation, simulation_of

_EVERY: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A campaign's version, and the time of whose invitations it is asked."""

    slug: str
    since: datetime
    until: datetime
    """Exclusive."""
    version: int | None = None
    """The proposal, or else the live version, where it is None."""


class TooManyReferralsError(ValueError):
    """The period has more referrals than may be replayed while somebody waits."""


@dataclass(slots=True)
class _Side:
    """One version on its way through the period."""

    number: int
    content: Draft
    earned: list[Earned] = field(default_factory=list)
    missed: dict[str, Missed] = field(default_factory=dict)

    def terms_for(self, referrer_id: str) -> Terms:
        """Return what the version would promise for a referrer, variants included."""
        content = self.content
        variant = variant_of(content.variants, content.slug, referrer_id)
        return terms_of_variant(content.terms, variant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """All that is read of a period, and how each of two versions judges its referrals."""

    version: int
    live_version: int
    referrals: int
    before: Mapping[str, tuple[Payment, ...]]
    sides: Sequence[_Side]
    around: Surroundings
    funded: Mapping[str, int] | None
    """Minor units by currency that it could be paid from; None for those that a draft plans."""


async def read_period(
    session: ReadSession, asked: Question, *, at: datetime, most: int | None = None
) -> Period | None:
    """Read a period and judge its referrals by a version and by the live one; None without one.

    Asks for a snapshot. UnknownVersionError for a version that the campaign lacks, and
    TooManyReferralsError for more than `most` referrals.
    """
    campaign = await session.scalar(select(Campaign).where(Campaign.slug == asked.slug))
    if campaign is None:
        return None
    version = asked.version or campaign.proposed_version or campaign.version
    sides = [
        _Side(number, draft_of(campaign, await _version(session, campaign, number)))
        for number in sorted({version, campaign.version})
    ]
    span = Span(campaign_id=campaign.id, since=asked.since, until=asked.until)
    referrals = await count_invited(session, span, limit=_EVERY if most is None else most + 1)
    if most is not None and referrals > most:
        raise TooManyReferralsError(f"more than {most} referrals")
    history = History()
    before = await _judge(session, span, history, sides)
    return Period(
        version=version,
        live_version=campaign.version,
        referrals=referrals,
        before=before,
        sides=sides,
        around=await _surroundings(session, span, history, sides, at=at),
        funded=await _funded(session, campaign, before),
    )


async def simulate(period: Period, *, tax_year_start: TaxYearStart) -> Simulation:
    """Replay a period with the limits of its versions and the campaign's budget.

    Takes seconds where many wait for a limit, so it asks for no session, and runs in a thread.
    """
    return await asyncio.to_thread(_simulate, period, tax_year_start)


def _simulate(period: Period, tax_year_start: TaxYearStart) -> Simulation:
    replayed = {
        side.number: _replay(
            side,
            replace(
                period.around,
                budgets=_planned(side.content) if period.funded is None else period.funded,
                ends_at=side.content.ends_at,
            ),
            tax_year_start,
        )
        for side in period.sides
    }
    asked, live = replayed[period.version], replayed[period.live_version]
    return simulation_of(asked, live, period.before, referrals=period.referrals)


async def _version(session: ReadSession, campaign: Campaign, number: int) -> CampaignVersion:
    known = select(CampaignVersion.id).where(
        CampaignVersion.campaign_id == campaign.id, CampaignVersion.version == number
    )
    if await session.scalar(known) is None:
        raise UnknownVersionError(f"version {number}")
    return await load_version(session, campaign, number)


async def _judge(
    session: ReadSession, span: Span, history: History, sides: Sequence[_Side]
) -> dict[str, tuple[Payment, ...]]:
    """Judge the period's referrals by each version, page by page; return what stands of them."""
    before: dict[str, tuple[Payment, ...]] = {}
    asks = any(side.content.terms.rules.ask_circumstances for side in sides)
    async for page in played_referrals(session, span, history, asks=asks):
        before |= {played.referral_id: standing for played, standing in page}
        for side in sides:
            await _judge_page(session, side, [played for played, _ in page])
    return before


async def _judge_page(session: ReadSession, side: _Side, page: Sequence[PlayedReferral]) -> None:
    zone = ZoneInfo(side.content.options.time_zone)
    promises = [
        Promise(
            referral_id=UUID(one.referral_id),
            invited_at=one.invited_at,
            terms=side.terms_for(one.referrer_id),
        )
        for one in page
    ]
    each = await each_with_rates(session, promises)
    ids = [promise.referral_id for promise in promises]
    turnovers = await load_turnovers(session, dict(zip(ids, each, strict=True)))
    asked = [
        replace(
            played,
            circumstances=replace(
                played.circumstances, zone=zone, turnovers=turnovers.get(referral_id, {})
            ),
        )
        for referral_id, played in zip(ids, page, strict=True)
    ]
    # A referee with thousands of deposits takes long to judge.
    judged = await asyncio.to_thread(lambda: list(map(judge_played, asked, each)))
    for played, outcome in zip(page, judged, strict=True):
        match outcome:
            case Earned():
                side.earned.append(outcome)
            case Missed():
                side.missed[played.referral_id] = outcome


async def _surroundings(
    session: ReadSession, span: Span, history: History, sides: Sequence[_Side], *, at: datetime
) -> Surroundings:
    """Return what other referrals have; the budgets are those of a version."""
    limits = (limit for side in sides for limit in side.content.terms.rules.limits)
    is_counted = any(limit.of is LimitOf.CAMPAIGN for limit in limits)
    return Surroundings(
        now=at,
        rewarded_at=history.rewarded_at,
        counted=history.counted,
        counted_all=await counted_of_campaign(session, span) if is_counted else (),
    )


async def _funded(
    session: ReadSession, campaign: Campaign, before: Mapping[str, tuple[Payment, ...]]
) -> dict[str, int] | None:
    """Return what the period could be paid from: the budgets, and what stands of its rewards."""
    if campaign.status is CampaignStatus.DRAFT:
        return None
    found: Counter[str] = Counter()
    budgets = CAMPAIGN_BUDGETS.c
    query = select(budgets.currency, budgets.free_minor).where(budgets.campaign_id == campaign.id)
    for currency, minor in await session.execute(query):
        found[currency] += int(minor)
    for payment in (payment for payments in before.values() for payment in payments):
        found[payment.standing.currency] += payment.standing.minor
    return dict(found)


def _planned(content: Draft) -> dict[str, int]:
    planned = [content.budget, *content.options.currencies]
    return {money.currency: money.minor for money in planned}


def _replay(side: _Side, around: Surroundings, tax_year_start: TaxYearStart) -> Replayed:
    zone = ZoneInfo(side.content.options.time_zone)
    calendar = Calendar(zone=zone, tax_year_start=tax_year_start)
    replay = Replay(side.content.terms, calendar, around, promised=side.terms_for)
    replay.run(side.earned)
    return Replayed(
        version=side.number,
        earned=side.earned,
        missed=side.missed,
        replay=replay,
        budgets=around.budgets,
    )
