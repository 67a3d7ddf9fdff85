"""Fan-out of many facts at once, as after a signup that was heard late."""

import sys
from datetime import timedelta
from types import FrameType

from sqlalchemy import text

from db.engine import Database
from referrals.lifecycle.fan_out import deliver_facts
from tests.builders import NOW, a_bound_referral, deposit
from tests.courier.steps import record_facts

COUNT = 30


async def test_no_fact_is_compared_with_every_other(database: Database) -> None:
    async with database.transaction() as session:
        row = await a_bound_referral(session)
    player_id = row.referee_id or ""
    paid = [deposit(player_id, at=NOW + timedelta(minutes=n)) for n in range(COUNT)]
    await record_facts(database, *paid, player_id=player_id)
    compared = 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal compared
        is_equality = event == "call" and frame.f_code.co_name == "__eq__"
        compared += is_equality and isinstance(frame.f_locals.get("self"), type(paid[0]))

    async with database.transaction() as session:
        sys.setprofile(count)
        try:
            await deliver_facts(session, row, paid)
        finally:
            sys.setprofile(None)
        delivered = await session.scalar(
            text("select count(*) from deliveries where referral_id = :id and kind = 'deposit'"),
            {"id": row.id},
        )

    assert delivered == COUNT
    assert not compared
