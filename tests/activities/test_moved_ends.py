"""A campaign's end that is moved: referrals that wait for it look again, and wait on."""

from datetime import timedelta
from typing import Final

from db.engine import Database
from domain.lifecycle.referral import Stage
from referrals.campaigns.funds_queue import MAX_AT_ONCE
from tests.activities.queues import Queue, a_queue_of
from tests.activities.referral_acts import LATER
from tests.builders import NOW

DAY: Final = timedelta(days=1)


async def until_of(queue: Queue) -> set[object]:
    return {(await acts.stored_row()).until for acts in queue.acts.values()}


async def test_all_that_wait_see_the_new_end(database: Database) -> None:
    queue, ids = await a_queue_of(database, MAX_AT_ONCE + 2)
    await queue.revises(ends_at=LATER + DAY)

    assert await queue.acts_on_wake_ups() == ids
    assert set(await queue.stages(ids)) == {Stage.DEFERRED}
    assert await until_of(queue) == {LATER + DAY}


async def test_an_end_that_was_put_off_is_waited_for(database: Database) -> None:
    queue, ids = await a_queue_of(database, 1)
    for days in (1, 60):
        await queue.revises(ends_at=LATER + days * DAY)
        await queue.acts_on_wake_ups()

    assert await until_of(queue) == {LATER + 60 * DAY}
    assert await queue.stages(ids) == [Stage.DEFERRED]


async def test_an_end_that_was_moved_ahead_of_the_acts_ends_the_wait(database: Database) -> None:
    queue, ids = await a_queue_of(database, MAX_AT_ONCE + 2)
    await queue.revises(ends_at=NOW + timedelta(hours=1))

    assert await queue.acts_on_wake_ups() == ids
    assert set(await queue.stages(ids)) == {Stage.UNFUNDED}


async def test_a_revision_that_moves_no_end_wakes_nobody(database: Database) -> None:
    queue, _ = await a_queue_of(database, 1)
    await queue.revises(name="Another name")

    assert await queue.woken() == []


async def test_money_still_goes_to_the_longest_waiting_after_a_move(database: Database) -> None:
    queue, ids = await a_queue_of(database, 3)
    await queue.revises(ends_at=LATER + DAY)
    await queue.acts_on_wake_ups()
    await queue.funds(2000)

    await queue.acts_on_wake_ups()
    assert await queue.stages(ids) == [Stage.REWARDED] * 2 + [Stage.DEFERRED]
