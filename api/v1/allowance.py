"""A referrer's allowance: what the limits of a campaign leave."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.http.authorisation import requires
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem
from api.http.openapi import problem_responses
from api.v1.players import PlayerId
from api.v1.schemas.fields import Slug
from api.v1.schemas.players import AllowanceOut, AllowancesOut
from domain.campaigns import default_offer
from referrals.campaigns import limits

router = APIRouter(prefix="/v1/players", tags=["players"])


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
