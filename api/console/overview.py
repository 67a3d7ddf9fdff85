"""The overview: the funnel of a time, what it costs, how budgets last, what waits."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from api.console.access import Visitor, may
from api.console.pages import PageRoute, render
from api.console.referrals import player_cell
from api.console.tables import (
    Column,
    Filter,
    Kind,
    Row,
    Table,
    address,
    chosen,
    csv_answer,
    typed,
    wants_csv,
)
from api.http.dependencies import Db, Now
from api.v1.reports.reading import reading
from referrals.access.console.roles import Permission
from referrals.campaigns import views as campaign_views
from referrals.reports import budgets, figures, funnel
from referrals.reports.budgets import PACE_PERIOD, Budget
from referrals.reports.funnel import By, FunnelRow
from referrals.reports.span import Span, find_zone
from referrals.verification.lag import load_lag

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)
Reader = Annotated[Visitor, Depends(may(Permission.SEE_REPORTS))]
PERIODS: Final = {"7 days": 7, "30 days": 30, "90 days": 90}
DEFAULT_PERIOD: Final = "30 days"
TOP_REFERRERS: Final = 8
MAX_KNOWN: Final = 100
"""Campaigns that the filter offers; others can be typed."""
STEPS: Final = ("shares", "clicks", "invitations", "signups", "qualified", "rewarded", "reversed")
FUNNEL_COLUMNS: Final = (
    *(Column(step.capitalize(), Kind.NUMBER) for step in STEPS),
    Column("Cost", Kind.MONEY),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the funnel, with the count of the step before and of the widest one."""

    name: str
    count: int
    before: int
    widest: int
    earlier: int
    """The count of the same step in the period before, which is as long."""

    @property
    def percent(self) -> int:
        """Width of the step's bar, of 100."""
        return 100 * self.count // max(self.widest, 1)

    @property
    def change(self) -> str:
        """The change against the period before, in words."""
        if not self.earlier:
            return "none before" if self.count else ""
        percent = round(100 * (self.count - self.earlier) / self.earlier)
        if not percent:
            return "as many as before"
        return f"{abs(percent):,} % {'more' if percent > 0 else 'fewer'} than before"


@router.get("/")
async def leave_the_slash() -> Response:
    """Lead people who type the address with a slash at its end to the page."""
    return RedirectResponse("/console", HTTPStatus.SEE_OTHER)


@router.get("")
async def show_overview(request: Request, database: Db, visitor: Reader, now: Now) -> Response:
    """Show the numbers of a period, in days; as CSV, the funnel by day."""
    period = chosen(request, "period", PERIODS) or DEFAULT_PERIOD
    campaign = typed(request, "campaign")
    paced = Span(since=now - PACE_PERIOD, until=now, campaign=campaign)
    async with reading(database) as session:
        zone = (await find_zone(session, campaign) if campaign else None) or "UTC"
        since = _start(now.astimezone(ZoneInfo(zone)), PERIODS[period])
        span = Span(since=since, until=now, campaign=campaign, zone=zone)
        days = await funnel.load_funnel(session, span, by=By.DAY)
        before = replace(span, since=since - (now - since), until=since)
        earlier = await funnel.load_funnel(session, before, by=By.CAMPAIGN)
        campaigns = await funnel.load_funnel(session, span, by=By.CAMPAIGN)
        cost = await figures.load_cost(session, span)
        fraud = await figures.load_fraud(session, span)
        speed = await figures.load_time_to_conversion(session, span)
        top = await figures.load_top_referrers(session, span, limit=TOP_REFERRERS)
        money = await budgets.load_budgets(session, paced, now=now)
        lag = await load_lag(session)
        known = await campaign_views.list_campaigns(session, after=None, limit=MAX_KNOWN)
    table = _by_day(request, days)
    if wants_csv(request):
        return csv_answer(table)
    return render(
        request,
        "overview.html",
        title="Overview",
        filters=(
            Filter(name="period", label="Period", value=period, choices=list(PERIODS)),
            Filter(name="campaign", label="Campaign", value=campaign or ""),
        ),
        steps=_steps(days, earlier),
        period=period,
        is_compared=bool(earlier),
        reversed=sum(day.counts["reversed"] for day in days),
        cost=cost,
        fraud=fraud,
        speed=speed,
        days=table,
        campaigns=_by_campaign(campaigns, is_linked=visitor.may(Permission.SEE_CAMPAIGNS)),
        top=_top(top, is_linked=visitor.may(Permission.SEE_REFERRALS)),
        zone=zone,
        known=[view.slug for view in known],
        budgets=money,
        bars=[_bar(budget) for budget in money],
        lag=lag,
    )


def _start(now: datetime, days: int) -> datetime:
    """Return the midnight with which the first of the days begins, in the zone of `now`."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days - 1)


def _steps(days: list[FunnelRow], earlier: list[FunnelRow]) -> list[Step]:
    counts = [sum(day.counts[step] for day in days) for step in STEPS[1:6]]
    return [
        Step(
            name,
            count,
            before=counts[nth - 1] if nth else 0,
            widest=max(counts),
            earlier=sum(row.counts[name] for row in earlier),
        )
        for nth, (name, count) in enumerate(zip(STEPS[1:6], counts, strict=True))
    ]


def _cells(row: FunnelRow) -> tuple[object, ...]:
    return (*(row.counts[step] for step in STEPS), list(row.cost) or None)


def _by_day(request: Request, days: list[FunnelRow]) -> Table:
    return Table(
        name="funnel",
        columns=(Column("Day", Kind.TEXT), *FUNNEL_COLUMNS),
        rows=[Row((day.group, *_cells(day))) for day in days],
        empty="Nothing happened in this period.",
        csv_address=address(request, format="csv"),
    )


def _by_campaign(campaigns: list[FunnelRow], *, is_linked: bool) -> Table:
    return Table(
        name="campaigns",
        columns=(Column("Campaign"), *FUNNEL_COLUMNS),
        rows=[
            Row((row.group, *_cells(row)), f"/console/campaigns/{row.group}" if is_linked else None)
            for row in campaigns
        ],
        empty="No campaign saw anything in this period.",
    )


def _top(referrers: list[figures.TopReferrer], *, is_linked: bool) -> Table:
    return Table(
        name="top",
        columns=(Column("Referrer", Kind.ID), Column("Rewarded", Kind.NUMBER)),
        rows=[
            Row(
                (player_cell(one.player_id) if is_linked else one.player_id, one.rewarded),
            )
            for one in referrers
        ],
        empty="Nobody was rewarded in this period.",
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """Widths of what is spent and held, in percent of the budget."""

    spent: int
    held: int


def _bar(budget: Budget) -> Bar:
    whole = max(budget.budget.minor, 1)
    return Bar(
        min(100, 100 * max(budget.spent.minor, 0) // whole),
        min(100, 100 * max(budget.held.minor, 0) // whole),
    )
