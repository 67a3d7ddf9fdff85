"""Places under limits that are freed: offered down the queue until nobody can use them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import pytest

from db.engine import Database
from domain.campaigns.limits.decision import Limit, LimitOf, Used
from domain.campaigns.limits.periods import Per
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.terms import Terms
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from referrals.campaigns import limits_queue
from referrals.campaigns.places.passing_on import Need, waits_of
from tests import state
from tests.activities.campaigns.ruled import ruled
from tests.activities.queues import Queue, a_queue
from tests.activities.referral_acts import LATER, sign_up
from tests.builders import deposit, unique, usd

PAID, WAITS, REVERSED = Stage.REWARDED, Stage.DEFERRED, Stage.REVERSED
TEN_PERCENT: Final = read_rewards(
    [{"to": "referrer", "amount": {"percent": "10"}}], "", currency="USD"
)


def crowded(*limits: Limit) -> Terms:
    return replace(ruled(limits=limits, rewards=TEN_PERCENT), referrer_reward=usd(0))


def two_limits(per: Per) -> Terms:
    return crowded(
        Limit(of=LimitOf.CAMPAIGN, per=per, rewards=2),
        Limit(of=LimitOf.REFERRER, per=per, rewards=1),
    )


async def asks(
    queue: Queue, number: int, *, referrer_id: str | None = None, minor: int = 10_000
) -> UUID:
    """Let the referral that asks as the `number`th qualify, by a deposit of which 10 % are paid."""
    acts = await sign_up(queue.database, offer=queue.offer, referrer_id=referrer_id)
    queue.acts[acts.row.id] = acts
    queue.paid[acts.row.id] = deposit(acts.referee_id, minor=minor)
    await acts.receives(queue.paid[acts.row.id])
    await acts.credit(at=_minute(number))
    return acts.row.id


def _minute(number: int) -> datetime:
    return LATER - timedelta(minutes=60 - number)


async def frees(queue: Queue, referral_id: UUID) -> list[UUID]:
    """Take a credited deposit back, and return who is woken until nobody is, in that order."""
    await queue.takes_back(referral_id)
    await queue.woken()
    assert await queue.acts[referral_id].wake() is REVERSED
    return await queue.acts_on_wake_ups()


@pytest.mark.parametrize("per", [Per.CAMPAIGN, Per.MONTH])
async def test_one_whom_another_limit_stops_passes_a_freed_place_on(
    fresh_database: Database, per: Per
) -> None:
    queue = await a_queue(fresh_database, budget=100_000, terms=two_limits(per))
    first, second = unique("referrer"), unique("referrer")
    x, y = await asks(queue, 0, referrer_id=first), await asks(queue, 1, referrer_id=second)
    a, c = await asks(queue, 2, referrer_id=first), await asks(queue, 3)
    assert await queue.stages([x, y, a, c]) == [PAID, PAID, WAITS, WAITS]

    assert await frees(queue, y) == [a, c]
    d = await asks(queue, 4)
    assert await queue.stages([x, y, a, c, d]) == [PAID, REVERSED, WAITS, PAID, WAITS]
    assert await frees(queue, x) == [d, a]
    assert await queue.stages([a, c, d]) == [WAITS, PAID, PAID]
    assert await state.violated_invariants(fresh_database) == {}


async def test_one_that_needs_more_than_is_free_lets_a_smaller_one_pass(
    fresh_database: Database,
) -> None:
    terms = crowded(Limit(of=LimitOf.CAMPAIGN, per=Per.CAMPAIGN, amount=usd(2000)))
    queue = await a_queue(fresh_database, budget=100_000, terms=terms)
    x, y = [await asks(queue, number) for number in range(2)]
    large = await asks(queue, 2, minor=15_000)
    as_large = await asks(queue, 3, minor=15_000)
    small, smaller = await asks(queue, 4, minor=6_000), await asks(queue, 5, minor=5_000)
    too_small = await asks(queue, 6, minor=4_500)
    assert await queue.stages([x, y]) == [PAID, PAID]

    assert await frees(queue, y) == [large, small, smaller, too_small]
    waiting = [large, as_large, small, smaller, too_small]
    assert await queue.stages(waiting) == [WAITS, WAITS, PAID, WAITS, WAITS]
    assert await state.violated_invariants(fresh_database) == {}


async def test_a_freed_place_is_offered_to_one_more_than_can_use_it(
    fresh_database: Database,
) -> None:
    terms = crowded(Limit(of=LimitOf.CAMPAIGN, per=Per.CAMPAIGN, rewards=1))
    queue = await a_queue(fresh_database, budget=100_000, terms=terms)
    ids = [await asks(queue, number, minor=20_000 - 1000 * number) for number in range(8)]

    assert await frees(queue, ids[0]) == ids[1:3]
    assert await queue.stages(ids) == [REVERSED, PAID, *[WAITS] * 6]


async def test_a_long_chain_that_another_limit_stops_is_gone_through_once(
    fresh_database: Database,
) -> None:
    queue = await a_queue(fresh_database, budget=100_000, terms=two_limits(Per.CAMPAIGN))
    referrer = unique("referrer")
    x, y = await asks(queue, 0, referrer_id=referrer), await asks(queue, 1)
    stopped = [await asks(queue, number, referrer_id=referrer) for number in range(2, 12)]
    last, behind = await asks(queue, 12), await asks(queue, 13)

    assert await frees(queue, y) == [*stopped, last, behind]
    assert await queue.stages([*stopped, last, behind]) == [*[WAITS] * 10, PAID, WAITS]
    # They wait for their referrer's limit by now: another place of the campaign is not theirs.
    assert await frees(queue, last) == [behind]
    assert await queue.stages([x, behind]) == [PAID, PAID]


async def test_those_who_cannot_use_a_place_do_not_wake_each_other_again(
    fresh_database: Database,
) -> None:
    terms = crowded(Limit(of=LimitOf.CAMPAIGN, per=Per.CAMPAIGN, amount=usd(2000)))
    queue = await a_queue(fresh_database, budget=100_000, terms=terms)
    x, y = [await asks(queue, number) for number in range(2)]
    waiting = [await asks(queue, 2 + n, minor=20_000 - 1000 * n) for n in range(5)]

    assert await frees(queue, y) == waiting
    for referral_id in waiting:
        assert await queue.acts[referral_id].wake() is WAITS
    assert await queue.acts_on_wake_ups() == []
    assert await queue.stages([x, *waiting]) == [PAID, *[WAITS] * 5]


async def test_who_waits_on_by_a_timer_wakes_nobody(fresh_database: Database) -> None:
    terms = crowded(Limit(of=LimitOf.CAMPAIGN, per=Per.DAY, amount=usd(2000)))
    queue = await a_queue(fresh_database, budget=100_000, terms=terms)
    ids = [await asks(queue, number, minor=20_000 - 1000 * number) for number in range(4)]

    assert [await queue.acts[id_].wake() for id_ in ids[1:]] == [WAITS] * 3
    assert await queue.acts_on_wake_ups() == []


async def test_a_place_goes_on_to_those_whom_a_waiting_one_kept_from_it(
    fresh_database: Database,
) -> None:
    limits = (
        Limit(of=LimitOf.CAMPAIGN, per=Per.DAY, rewards=1),
        Limit(of=LimitOf.REFERRER, per=Per.DAY, rewards=1),
    )
    queue = await a_queue(fresh_database, budget=100_000, terms=crowded(*limits))
    first = unique("referrer")
    x, a = [await asks(queue, n, referrer_id=first) for n in range(2)]
    b = await asks(queue, 2)
    assert await queue.stages([x, a, b]) == [PAID, WAITS, WAITS]
    assert await frees(queue, x) == [a, b]
    assert await queue.stages([a, b]) == [PAID, WAITS]


async def test_a_settled_reward_that_is_taken_back_frees_its_place(
    fresh_database: Database,
) -> None:
    terms = crowded(Limit(of=LimitOf.CAMPAIGN, per=Per.CAMPAIGN, rewards=1))
    queue = await a_queue(fresh_database, budget=100_000, terms=terms)
    settled, waiting = [await asks(queue, number) for number in range(2)]
    acts = queue.acts[settled]
    standing = await acts.rewards.settle_referral(await acts.act_request())
    assert standing.stage is Stage.SETTLED

    assert await frees(queue, settled) == [waiting]
    assert await queue.stages([waiting]) == [PAID]


async def test_the_credit_of_what_was_held_wakes_nobody(fresh_database: Database) -> None:
    terms = crowded(Limit(of=LimitOf.CAMPAIGN, per=Per.CAMPAIGN, rewards=1))
    terms = replace(terms, hold_period=timedelta(days=1))
    queue = await a_queue(fresh_database, budget=100_000, terms=terms)
    held, waiting = [await asks(queue, number) for number in range(2)]
    assert await queue.stages([held, waiting]) == [Stage.HELD, WAITS]

    assert await queue.acts[held].wake(at=LATER + timedelta(days=2)) is PAID
    assert await queue.acts_on_wake_ups() == []


@pytest.mark.parametrize(("max_tried", "woken"), [(1, 1), (2, 2), (4, 4), (5, 5), (500, 5)])
async def test_a_queue_longer_than_one_act_compares_is_gone_through_in_steps(
    fresh_database: Database, max_tried: int, woken: int
) -> None:
    terms = crowded(Limit(of=LimitOf.CAMPAIGN, per=Per.CAMPAIGN, amount=usd(2000)))
    queue = await a_queue(fresh_database, budget=100_000, terms=terms)
    _, y = [await asks(queue, number) for number in range(2)]
    waiting = [await asks(queue, 2 + number, minor=15_000) for number in range(5)]
    waiting.append(await asks(queue, 7, minor=5_000))
    await queue.takes_back(y)
    await queue.woken()
    await queue.acts[y].wake()
    assert await queue.woken() == waiting[:1]

    row = queue.acts[waiting[0]].row
    async with fresh_database.transaction() as session:
        wait = (await waits_of(session, row.id))[HoldReason.LIMIT]
        need = Need(Used(1, 1500), "USD")
        await limits_queue.wake_next(session, row, wait, need, at=LATER, max_tried=max_tried)
    assert await queue.woken() == [waiting[woken]]
