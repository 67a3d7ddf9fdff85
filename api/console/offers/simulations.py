"""The page that replays a past period by a version of a campaign; nothing is written."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from api.console.access import Visitor, may
from api.console.offers.explanations import version_of
from api.console.pages import PageRoute, render
from api.console.tables import Column, Kind, Row, Table, typed
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem, invalid_field
from api.v1.campaigns.simulations import MAX_REFERRALS
from api.v1.reports.reading import reading
from api.v1.schemas.fields import SLUG_PATTERN
from db.engine import ReadSession
from domain.intake.facts import MAX_TIME, MIN_TIME
from referrals.access.console.roles import Permission
from referrals.campaigns.views import find_campaign
from referrals.reporting.explanations import UnknownVersionError
from referrals.reporting.simulation_report import Simulation, Totals
from referrals.reporting.simulations import (
    Period,
    Question,
    TooManyReferralsError,
    read_period,
    simulate,
)

router = APIRouter(prefix="/console/campaigns", include_in_schema=False, route_class=PageRoute)
Reader = Annotated[Visitor, Depends(may(Permission.SEE_CAMPAIGNS))]
MAX_CHANGED: Final = 100
_TOTAL_COLUMNS: Final = (
    Column("Rewards"), Column("Number", Kind.NUMBER), Column("Cost", Kind.MONEY),
)  # fmt: skip
_CHANGED_COLUMNS: Final = (
    Column("Referral", Kind.ID),
    Column("Today", Kind.MONEY),
    Column("By the version", Kind.MONEY),
    Column("Why", Kind.WORD),
)
_SPREAD_COLUMNS: Final = (
    Column("To", Kind.WORD),
    Column("Kind", Kind.WORD),
    Column("Number", Kind.NUMBER),
    Column("Smallest", Kind.MONEY),
    Column("Median", Kind.MONEY),
    Column("Largest", Kind.MONEY),
    Column("Cost", Kind.MONEY),
)
_BUDGET_COLUMNS: Final = (
    Column("Budget", Kind.MONEY), Column("Left", Kind.MONEY), Column("Empty", Kind.TIME),
)  # fmt: skip


@router.get("/{slug}/simulate")
async def show_simulation(  # noqa: PLR0917 - dependencies, by name
    request: Request,
    slug: Annotated[str, Path(pattern=SLUG_PATTERN)],
    database: Db,
    config: Config,
    now: Now,
    visitor: Reader,
) -> Response:
    """Replay the referrals invited in a period, as POST /v1/campaigns/{slug}/simulate does."""
    async with reading(database) as session:
        period = await _read_period(request, session, slug, at=now)
    found = await simulate(period, tax_year_start=config.tax_year)
    return render(
        request,
        "simulation.html",
        title="What a version would have paid",
        slug=slug,
        found=found,
        days=(typed(request, "from"), typed(request, "to")),
        totals=_totals(found),
        unpaid=_unpaid(found),
        spread=_spread(found),
        budgets=_budgets(found),
        changed=_changed(found, may_see=visitor.may(Permission.SEE_REFERRALS)),
    )


async def _read_period(
    request: Request, session: ReadSession, slug: str, *, at: datetime
) -> Period:
    view = await find_campaign(session, slug)
    if view is None:
        raise Problem("unknown_campaign")
    zone = ZoneInfo(view.options.time_zone)
    since, until = _day(request, "from", zone), _day(request, "to", zone)
    if until <= since:
        raise invalid_field("to", "Choose a day after the first one")
    asked = Question(
        slug=slug, since=since, until=until, version=version_of(typed(request, "version"))
    )
    try:
        found = await read_period(session, asked, at=at, most=MAX_REFERRALS)
    except UnknownVersionError as fault:
        raise invalid_field("version", "Write a version of this campaign") from fault
    except TooManyReferralsError as fault:
        message = f"Choose a period with at most {MAX_REFERRALS:,} invitations"
        raise invalid_field("from", message) from fault
    if found is None:
        raise Problem("unknown_campaign")
    return found


def _day(request: Request, name: str, zone: ZoneInfo) -> datetime:
    """Return the first moment of a day in the campaign's zone."""
    try:
        day = datetime.combine(date.fromisoformat(typed(request, name) or ""), time(), zone)
    except ValueError as fault:
        raise invalid_field(name, "Choose a day, such as 2026-03-01") from fault
    if not MIN_TIME.year < day.year < MAX_TIME.year:
        raise invalid_field(name, "Choose a day of this century")
    return day


def _totals(found: Simulation) -> Table:
    rows = (
        ("stand today", found.before),
        (f"by the live version, {found.live_version}", found.live),
        (f"by version {found.version}", found.after),
    )
    return _table(
        "totals", _TOTAL_COLUMNS, [Row((name, one.rewards, _cost(one))) for name, one in rows]
    )


def _unpaid(found: Simulation) -> Table:
    columns = (Column("Reason", Kind.WORD), Column("Referrals", Kind.NUMBER))
    return _table("unpaid", columns, [Row(one) for one in sorted(found.unpaid.items())])


def _spread(found: Simulation) -> Table:
    rows = [
        Row((one.to, one.kind, one.rewards, one.smallest, one.median, one.largest, one.cost))
        for one in found.spread
    ]
    return _table("spread", _SPREAD_COLUMNS, rows)


def _budgets(found: Simulation) -> Table:
    rows = [Row((one.budget, one.left, one.exhausted_at)) for one in found.budgets]
    return _table("budgets", _BUDGET_COLUMNS, rows)


def _changed(found: Simulation, *, may_see: bool) -> Table:
    rows = [
        Row(
            (one.referral_id, _cost(one.before), _cost(one.after), one.why),
            href=f"/console/referrals/{one.referral_id}" if may_see else None,
        )
        for one in found.changed[:MAX_CHANGED]
    ]
    return _table("changed", _CHANGED_COLUMNS, rows)


def _cost(totals: Totals) -> list[object] | None:
    return list(totals.cost) or None


def _table(name: str, columns: Sequence[Column], rows: Sequence[Row]) -> Table:
    return Table(name=name, columns=columns, rows=rows, empty="None.")
