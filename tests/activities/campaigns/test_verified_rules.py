"""Verification of computed rewards and limits: what the rules do not give is noticed."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from db.engine import Database
from domain.campaigns.limits.decision import Limit, LimitOf
from domain.campaigns.limits.periods import Per
from domain.lifecycle.referral import Stage
from tests.activities.campaigns.ruled import acknowledge, ruled
from tests.activities.campaigns.test_bonus_bets import CASH, FLAT, paying
from tests.activities.queues import a_queue
from tests.activities.referral_acts import LATER, sign_up
from tests.builders import deposit, unique
from tests.state import violated_invariants


async def change(superuser: Database, statement: str, **values: Any) -> None:  # noqa: ANN401
    async with superuser.transaction() as session:
        await session.execute(text(statement), values)


async def test_a_computation_for_another_jurisdiction_than_the_signups_is_noticed(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    amount = {"by_jurisdiction": {"US-NJ": FLAT, "US-PA": FLAT}}
    acts = await sign_up(fresh_database, terms=paying(("referrer", CASH, amount)))
    await acts.receives(deposit(acts.referee_id))
    assert await acts.wake() is Stage.REWARDED
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}

    await change(
        fresh_superuser,
        """update rewards set computation = jsonb_set(computation, '{jurisdiction}', '"US-PA"')""",
    )
    assert await violated_invariants(fresh_database) == {
        "rewards_are_what_is_due": (str(acts.row.id),)
    }


async def test_rewards_beyond_a_limit_of_their_period_are_noticed(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    limit = Limit(of=LimitOf.REFERRER, per=Per.DAY, rewards=1)
    queue = await a_queue(fresh_database, budget=100_000, terms=ruled(limits=(limit,)))
    referrer = unique("referrer")
    for days in (0, 1):
        acts = await queue.deposits(referrer_id=referrer)
        await acts.credit(at=LATER + timedelta(days=days))
    assert await violated_invariants(fresh_database) == {}

    await change(fresh_superuser, "update rewards set counted_at = :at", at=LATER)
    found = await violated_invariants(fresh_database)
    assert list(found) == ["limits_are_kept"]
