"""Kill switches: of everything, of a campaign, of a jurisdiction."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path

from api.http.authorisation import Caller, requires
from api.http.dependencies import Db
from api.http.errors import Problem, invalid_field
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.strict_json import StrictRoute
from api.v1.campaigns.answers import SwitchesOut, SwitchOut
from api.v1.schemas.campaigns import SwitchIn
from domain.campaigns.switches import SCOPE, code_instead_of_alias
from referrals.campaigns import switches
from referrals.campaigns.switches import SwitchOutcome

router = APIRouter(prefix="/v1/switches", tags=["campaigns"], route_class=StrictRoute)
ScopePath = Annotated[str, Path(pattern=f"^(?:{SCOPE.pattern})$", examples=["campaign:spring"])]
CAN_READ: Final = Depends(requires("campaigns:write", "campaigns:publish", "reports:read"))
Publisher = Annotated[Caller, Depends(requires("campaigns:publish"))]


@router.get("", dependencies=[CAN_READ])
async def list_switches(database: Db) -> SwitchesOut:
    """List the kill switches that were ever turned, with their latest turn."""
    async with database.reading() as session:
        found = await switches.list_switches(session)
    return SwitchesOut.model_validate({"items": found})


@router.put("/{scope}", responses=problem_responses("unknown_campaign", *BODY_PROBLEMS))
async def turn_switch(
    scope: ScopePath, body: SwitchIn, database: Db, publisher: Publisher
) -> SwitchOut:
    """Turn a switch: `all`, `campaign:{slug}` or `jurisdiction:{code}` of the referee's signup.

    While one is off, its scope gives no new codes and no invitations, a code typed meanwhile is
    kept as unattributed (`switched_off`), and nothing is credited: what would be is DEFERRED, and
    what is HELD already stays so with its money. Facts are kept. Turned on, all that waits goes on
    by itself, the longest waiting first. A country's switch holds in all of its parts. The same
    state again changes nothing. 404 `unknown_campaign`. 422 for an alias, such as UK, which is to
    be turned off by its code of ISO 3166.
    """
    if meant := code_instead_of_alias(scope, body.state):
        raise invalid_field("scope", f"Must be {meant}, its code of ISO 3166")
    async with database.transaction() as session:
        outcome = await switches.turn(session, scope, body.state, publisher.actor(body.reason))
        if outcome is SwitchOutcome.UNKNOWN_CAMPAIGN:
            raise Problem("unknown_campaign")
        found = await switches.find_switch(session, scope)
    return SwitchOut.model_validate(found)
