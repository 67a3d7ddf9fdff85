"""A player's allowance: what the limits of a campaign and the tax year's threshold leave."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.http.authorisation import Caller, requires
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.strict_json import StrictRoute
from api.v1.players import PlayerId
from api.v1.schemas.fields import Slug
from api.v1.schemas.players import AllowanceOut, AllowancesOut, TaxReleaseIn, TaxYearOut
from domain.campaigns import default_offer
from referrals.access.own_players import is_own
from referrals.campaigns import limits, tax_years

router = APIRouter(prefix="/v1/players", tags=["players"], route_class=StrictRoute)
Reviewer = Annotated[Caller, Depends(requires("reviews:decide"))]


@router.get(
    "/{player_id}/allowance",
    dependencies=[Depends(requires("rewards:read", "players:read"))],
    responses=problem_responses("unknown_campaign"),
)
async def show_allowance(
    player_id: PlayerId,
    database: Db,
    settings: Config,
    now: Now,
    campaign: Annotated[Slug, Query()] = default_offer.SLUG,
) -> AllowancesOut:
    """Return what the limits of a campaign's live terms leave a referrer in the present periods.

    A limit `of` the referrer counts the rewards to that player, one of the campaign those to
    everybody; held ones are counted, reversed and voided ones are not. A campaign without limits
    has no items. 404 `unknown_campaign`.
    """
    async with database.reading() as session:
        found = await limits.allowances(
            session, campaign, player_id, at=now, tax_year_start=settings.tax_year
        )
    if found is None:
        raise Problem("unknown_campaign")
    return AllowancesOut(items=[AllowanceOut.of_allowance(one) for one in found])


@router.get(
    "/{player_id}/tax-year",
    dependencies=[Depends(requires("rewards:read", "reviews:decide"))],
)
async def show_tax_year(
    player_id: PlayerId, database: Db, settings: Config, now: Now
) -> TaxYearOut:
    """Return what a player's rewards of the present tax year come to over all campaigns.

    A player whom nobody has heard of has no totals.
    """
    async with database.reading() as session:
        found = await tax_years.find_tax_year(
            session, player_id, at=now, tax_year_start=settings.tax_year
        )
    return TaxYearOut.of(player_id, found, settings.yearly_thresholds)


@router.post(
    "/{player_id}/tax-release", responses=problem_responses("own_referral", *BODY_PROBLEMS)
)
async def release_tax_year(  # noqa: PLR0917 - FastAPI passes each by its name
    player_id: PlayerId,
    body: TaxReleaseIn,
    database: Db,
    settings: Config,
    reviewer: Reviewer,
    now: Now,
) -> TaxYearOut:
    """Let a player be credited beyond the thresholds until the tax year ends.

    What waits with a hold `tax` goes on, the longest waiting first. The same again changes nothing.
    403 `own_referral` for the player whose name the caller has, or who is linked to them.
    """
    async with database.transaction() as session:
        if await is_own(session, reviewer.owner, player_id):
            raise Problem("own_referral")
        found = await tax_years.release(
            session,
            player_id,
            reviewer.actor(body.reason),
            at=now,
            tax_year_start=settings.tax_year,
        )
    return TaxYearOut.of(player_id, found, settings.yearly_thresholds)
