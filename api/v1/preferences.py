"""A player's preferences about notifications."""

from fastapi import APIRouter, Depends

from api.http.authorisation import requires
from api.http.dependencies import Db
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.strict_json import StrictRoute
from api.v1.players import PlayerId
from api.v1.schemas.preferences import PreferencesIn, PreferencesOut
from referrals.notifications import preferences

router = APIRouter(prefix="/v1/players", tags=["players"], route_class=StrictRoute)


@router.put(
    "/{player_id}/preferences",
    dependencies=[Depends(requires("players:write", "events:write"))],
    responses=problem_responses(*BODY_PROBLEMS),
)
async def change_preferences(
    player_id: PlayerId, body: PreferencesIn, database: Db
) -> PreferencesOut:
    """Change a player's preferences and return all of them; fields left out stay as they are.

    They count from now on, also for messages that wait for the end of quiet hours. Players need
    not be known: preferences may be set before the signup is reported.
    """
    async with database.transaction() as session:
        changed = await preferences.change_preferences(session, player_id, body.to_changes())
    return PreferencesOut.of(changed)


@router.get(
    "/{player_id}/preferences",
    dependencies=[Depends(requires("players:read", "referrals:read"))],
)
async def show_preferences(player_id: PlayerId, database: Db) -> PreferencesOut:
    """Return a player's preferences; one who has set none has the defaults."""
    async with database.reading() as session:
        return PreferencesOut.of(await preferences.find_preferences(session, player_id))
