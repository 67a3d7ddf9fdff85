"""A reward that could not be given again at once hears when its players may be credited."""

import pytest

from db.engine import Database
from db.tables import ReferralRow
from domain.intake.facts import PlayerStatus
from domain.lifecycle.referral import Stage
from tests.builders import deposit, signup, status_change
from tests.courier.steps import (
    a_shared_code,
    pending_signals,
    record_and_route,
    referrals_of,
    set_stage,
    sign_up,
)


@pytest.mark.parametrize("side", ["referrer_id", "referee_id"])
async def test_a_restored_player_reaches_a_reversed_reward_that_waits(
    database: Database, side: str
) -> None:
    row = await waiting_to_be_reinstated(database)
    player_id = getattr(row, side)

    restored = status_change(player_id, PlayerStatus.RESTORED)
    await record_and_route(database, restored, player_id=player_id)

    assert (await pending_signals(database, row))[-1] == "look"


async def waiting_to_be_reinstated(database: Database) -> ReferralRow:
    arrival = signup(code=await a_shared_code(database))
    credited = deposit(arrival.player_id)
    await sign_up(database, arrival)
    await record_and_route(database, credited, player_id=arrival.player_id)
    (row,) = await referrals_of(database, arrival.player_id)
    await set_stage(database, row, Stage.REVERSED, qualified_by=credited.event_id)
    async with database.transaction() as session:
        (await session.get_one(ReferralRow, row.id)).awaits_funds = True
    return row
