"""Simulations: a past period replayed by a version of a campaign; nothing is written."""

from typing import Final

from fastapi import APIRouter

from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem, invalid_field
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.strict_json import StrictRoute
from api.v1.campaigns.routes import CAN_READ, SlugPath
from api.v1.schemas.simulations import SimulateIn, SimulationOut
from referrals.reporting.explanations import UnknownVersionError
from referrals.reporting.simulations import Question, TooManyReferralsError, read_period, simulate

MAX_REFERRALS: Final = 20_000
"""Bounds a simulation that a caller waits for: some seconds."""

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"], route_class=StrictRoute)


@router.post(
    "/{slug}/simulate",
    dependencies=[CAN_READ],
    responses=problem_responses("unknown_campaign", *BODY_PROBLEMS),
)
async def simulate_campaign(
    slug: SlugPath, body: SimulateIn, database: Db, settings: Config, now: Now
) -> SimulationOut:
    """Replay the referrals invited in [from, to) by a version of the campaign. Writes nothing.

    Their recorded facts are judged in the order in which they happened, with the version's limits
    and the campaign's budget; of a draft, the planned one. `before` is what stands of their rewards
    today. Referrals that were rejected for fraud stay so; what nobody knows, such as the time that
    a review would have taken, takes no time. 404 `unknown_campaign`; 422 for a version that the
    campaign does not have, and for a period of more than 20,000 invitations, for which `referrals
    campaign-simulate` has no limit.
    """
    body.check()
    asked = Question(slug=slug, since=body.since, until=body.until, version=body.version)
    async with database.snapshot() as session:
        try:
            period = await read_period(session, asked, at=now, most=MAX_REFERRALS)
        except UnknownVersionError as fault:
            raise invalid_field("version", "Must be a version of this campaign") from fault
        except TooManyReferralsError as fault:
            message = f"Must give at most {MAX_REFERRALS} referrals"
            raise invalid_field("from", message) from fault
    if period is None:
        raise Problem("unknown_campaign")
    found = await simulate(period, tax_year_start=settings.tax_year)
    return SimulationOut.model_validate(found)
