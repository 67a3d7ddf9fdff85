"""Exchange rates, by which amounts are converted that are promised in another currency."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from api.http.authorisation import Caller, requires
from api.http.dependencies import Db
from api.http.errors import Problem
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.paging import PageOut, PageQuery, page_out
from api.http.strict_json import StrictRoute
from api.v1.campaigns.rate_bodies import RatesIn, RatesOut
from api.v1.schemas.fields import Currency
from referrals.campaigns.exchange import rates
from referrals.campaigns.exchange.rates import RatesOutcome

router = APIRouter(prefix="/v1/rates", tags=["campaigns"], route_class=StrictRoute)
Publisher = Annotated[Caller, Depends(requires("campaigns:publish"))]
CAN_READ: Final = Depends(requires("campaigns:write", "campaigns:publish", "reports:read"))
BY_API: Final = "through the API"
"""Reason in the audit of a rate table, which asks for none."""


@router.post(
    "",
    status_code=201,
    responses=problem_responses("rates_conflict", "too_early", *BODY_PROBLEMS)
    | {200: {"model": RatesOut, "description": "These rates were recorded before"}},
)
async def record_rates(
    body: RatesIn, database: Db, publisher: Publisher, response: Response
) -> RatesOut:
    """Record exchange rates of one moment and source; they are never changed.

    A referral's amounts in another currency are converted at the latest rates not after its
    invitation. Referrals that wait for a rate go on by themselves. 200 for the same rates again,
    however they are spelled; 409 `rates_conflict` for others of the same moment, source and base.
    """
    new = body.to_rates()
    async with database.transaction() as session:
        outcome = await rates.write_rates(session, new, publisher.actor(BY_API))
        if outcome is RatesOutcome.CONFLICT:
            raise Problem("rates_conflict")
        written = await rates.find_rates(session, new)
    if outcome is RatesOutcome.SAME:
        response.status_code = 200
    return RatesOut.model_validate(written)


@router.get("", dependencies=[CAN_READ])
async def list_rates(
    database: Db,
    part: PageQuery,
    currency: Annotated[
        Currency | None, Query(description="Only tables that have this currency")
    ] = None,
) -> PageOut[RatesOut]:
    """List the recorded rates, those of the latest moments first."""
    async with database.reading() as session:
        page = await rates.list_rates(session, part, currency=currency)
    return page_out(RatesOut, page)
