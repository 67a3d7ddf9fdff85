"""Reports on the funnel, fraud and money, as JSON, CSV or Parquet."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from api.http.authorisation import requires
from api.http.dependencies import Db, Now
from api.http.errors import Problem, invalid_field
from api.v1.reports.formats import RESPONSES, Format, FormatQuery, answer
from api.v1.reports.reading import WarehouseSource, reading
from api.v1.reports.schemas import (
    BucketOut,
    BudgetsOut,
    CampaignBudgetOut,
    CostOut,
    FraudOut,
    FunnelOut,
    FunnelRowOut,
    ReversalsOut,
    TimeToConversionOut,
    TopReferrersOut,
)
from api.v1.schemas.fields import PlannedTime, Slug
from domain.intake.facts import MAX_TIME, MIN_TIME
from referrals.reports import budgets, figures, funnel
from referrals.reports.budgets import PACE_PERIOD
from referrals.reports.funnel import OF_A_CAMPAIGN, By, FunnelRow
from referrals.reports.span import Span, find_zone

router = APIRouter(
    prefix="/v1/reports", tags=["reports"], dependencies=[Depends(requires("reports:read"))]
)


async def span_of(
    database: Db,
    since: Annotated[
        PlannedTime | None, Query(alias="from", description="Inclusive; without it, everything")
    ] = None,
    until: Annotated[PlannedTime | None, Query(alias="to", description="Exclusive")] = None,
    campaign: Annotated[
        Slug | None, Query(description="Its days are those of its time zone, else of UTC")
    ] = None,
) -> Span:
    """Return the time and the campaign that a report is about; 404 `unknown_campaign`."""
    since, until = since or MIN_TIME, until or MAX_TIME
    if since >= until:
        raise invalid_field("to", "Must be after `from`")
    if campaign is None:
        return Span(since=since, until=until)
    async with database.reading() as session:
        zone = await find_zone(session, campaign)
    if zone is None:
        raise Problem("unknown_campaign")
    return Span(since=since, until=until, campaign=campaign, zone=zone)


SpanQuery = Annotated[Span, Depends(span_of)]


@router.get(
    "/funnel", response_model=FunnelOut, response_model_exclude_unset=True, responses=RESPONSES
)
async def show_funnel(
    span: SpanQuery,
    database: Db,
    warehouse: WarehouseSource,
    by: By = By.DAY,
    form: FormatQuery = Format.JSON,
) -> FunnelOut | Response:
    """Count what happened in [from, to), each thing at its own time, in groups named by `by`.

    By `cohort` a referral counts in the week of its invitation. Weeks begin on Monday and are
    named by that day. A group is null where it is not known; groups without a row are left out.
    404 `unknown_campaign`.
    """
    rows = await warehouse.load_funnel(span, by=by)
    if rows is None:
        async with reading(database) as session:
            rows = await funnel.load_funnel(session, span, by=by)
    report = FunnelOut(rows=[_funnel_row(row, by) for row in rows])
    named = ["campaign", by.value] if by in OF_A_CAMPAIGN else [by.value]
    columns = [*named, *(name for name in FunnelRowOut.model_fields if name not in set(By))]
    return answer(report, form, name="funnel", rows=report.rows, columns=columns)


@router.get("/time-to-conversion", response_model=TimeToConversionOut, responses=RESPONSES)
async def show_time_to_conversion(
    span: SpanQuery, database: Db, warehouse: WarehouseSource, form: FormatQuery = Format.JSON
) -> TimeToConversionOut | Response:
    """Return the median and 90th percentile from the invitation to the deposit that qualifies.

    Of the referrals that qualified in [from, to). As a table, the distribution is left out. 404
    `unknown_campaign`.
    """
    found = await warehouse.load_time_to_conversion(span)
    if found is None:
        async with reading(database) as session:
            found = await figures.load_time_to_conversion(session, span)
    report = TimeToConversionOut(
        conversions=found.conversions,
        median_s=found.median_s,
        p90_s=found.p90_s,
        distribution=[
            BucketOut(up_to_s=bound, conversions=count) for bound, count in found.distribution
        ],
    )
    return answer(report, form, name="time-to-conversion", left_out={"distribution"})


@router.get("/fraud", response_model=FraudOut, responses=RESPONSES)
async def show_fraud(
    span: SpanQuery, database: Db, form: FormatQuery = Format.JSON
) -> FraudOut | Response:
    """Count referrals assessed in [from, to) by their gravest verdict, and people's decisions.

    404 `unknown_campaign`.
    """
    async with reading(database) as session:
        report = FraudOut.model_validate(await figures.load_fraud(session, span))
    return answer(report, form, name="fraud")


@router.get("/reversals", response_model=ReversalsOut, responses=RESPONSES)
async def show_reversals(
    span: SpanQuery, database: Db, warehouse: WarehouseSource, form: FormatQuery = Format.JSON
) -> ReversalsOut | Response:
    """Count referrals credited and taken back in [from, to), and the money that was taken back.

    404 `unknown_campaign`.
    """
    found = await warehouse.load_reversals(span)
    if found is None:
        async with reading(database) as session:
            found = await figures.load_reversals(session, span)
    report = ReversalsOut.model_validate(found)
    return answer(report, form, name="reversals")


@router.get("/cost", response_model=CostOut, responses=RESPONSES)
async def show_cost(
    span: SpanQuery, database: Db, warehouse: WarehouseSource, form: FormatQuery = Format.JSON
) -> CostOut | Response:
    """Return what rewards cost in [from, to), and how many referees qualified in that time.

    404 `unknown_campaign`.
    """
    found = await warehouse.load_cost(span)
    if found is None:
        async with reading(database) as session:
            found = await figures.load_cost(session, span)
    report = CostOut.model_validate(found)
    return answer(report, form, name="cost")


@router.get("/top-referrers", response_model=TopReferrersOut, responses=RESPONSES)
async def show_top_referrers(
    span: SpanQuery,
    database: Db,
    warehouse: WarehouseSource,
    limit: Annotated[int, Query(ge=1, le=1000, description="Players in the answer")] = 50,
    form: FormatQuery = Format.JSON,
) -> TopReferrersOut | Response:
    """List the players whose referrals were rewarded most often in [from, to).

    404 `unknown_campaign`.
    """
    rows = await warehouse.load_top_referrers(span, limit=limit)
    if rows is None:
        async with reading(database) as session:
            rows = await figures.load_top_referrers(session, span, limit=limit)
    report = TopReferrersOut.model_validate({"rows": rows})
    columns = ["player_id", "rewarded"]
    return answer(report, form, name="top-referrers", rows=report.rows, columns=columns)


@router.get("/budgets", response_model=BudgetsOut, responses=RESPONSES)
async def show_budgets(
    span: SpanQuery, database: Db, now: Now, form: FormatQuery = Format.JSON
) -> BudgetsOut | Response:
    """Show what is spent, held and free of each campaign's budget now, and how long it lasts.

    The pace is that of [from, to), or of the last two weeks. 404 `unknown_campaign`.
    """
    if span.since == MIN_TIME:
        until = min(span.until, now)
        span = Span(since=until - PACE_PERIOD, until=until, campaign=span.campaign, zone=span.zone)
    async with reading(database) as session:
        found = await budgets.load_budgets(session, span, now=now)
    report = BudgetsOut.model_validate({"rows": found})
    columns = list(CampaignBudgetOut.model_fields)
    return answer(report, form, name="budgets", rows=report.rows, columns=columns)


def _funnel_row(row: FunnelRow, by: By) -> FunnelRowOut:
    group: dict[str, Any] = {by.value: row.group}
    if by in OF_A_CAMPAIGN:
        group = {"campaign": row.campaign, **group}
    return FunnelRowOut.model_validate(
        {**group, **row.counts, "cost": [asdict(each) for each in row.cost]}
    )
