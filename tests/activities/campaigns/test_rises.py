"""Amounts that change before or after their credit: what they wait for, and places under limits."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.engine import Database
from domain.campaigns.limits.decision import Limit, LimitOf
from domain.campaigns.limits.periods import Per
from domain.campaigns.limits.thresholds import Thresholds
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.terms import Terms
from domain.intake.facts import Chargeback, Deposit, TakeBack
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from tests import state
from tests.activities.campaigns.ruled import ruled
from tests.activities.queues import Queue, a_queue
from tests.activities.referral_acts import LATER, ReferralActs, acts_on, sign_up
from tests.builders import NOW, chargeback, deposit, unique, usd
from tests.state import Balances

DAY: Final = timedelta(days=1)
A_MONTH: Final = timedelta(days=32)
TENTH: Final = [{"to": "referrer", "amount": {"percent": "10"}}]
PAID, WAITS, REVERSED = Stage.REWARDED, Stage.DEFERRED, Stage.REVERSED


def paying(rewards: Any, *limits: Limit, **changed: Any) -> Terms:  # noqa: ANN401 - JSON, terms
    rules = ruled(limits=limits, rewards=read_rewards(rewards, "", currency="USD"))
    return replace(rules, referrer_reward=usd(0), minimum_deposit=usd(500), **changed)


def tiers(first: int, second: int) -> list[dict[str, Any]]:
    amounts = [
        {"from": count, "flat": {"minor": minor, "currency": "USD"}}
        for count, minor in ((1, first), (2, second))
    ]
    return [{"to": "referrer", "amount": {"tiers": amounts}}]


def of_month(minor: int, **fields: Any) -> Limit:  # noqa: ANN401 - any field of a limit
    return Limit(of=LimitOf.REFERRER, per=Per.MONTH, amount=usd(minor), **fields)


async def friend(
    queue: Queue,
    referrer: str,
    minor: int,
    *,
    refunded: int = 0,
    thresholds: Thresholds | None = None,
) -> tuple[ReferralActs, Deposit]:
    """Credit a referral whose deposit was refunded in part before that."""
    signed_up = await sign_up(queue.database, offer=queue.offer, referrer_id=referrer)
    acts = acts_on(queue.database, signed_up.row, thresholds=thresholds or {})
    queue.acts[acts.row.id] = acts
    paid = queue.paid[acts.row.id] = deposit(acts.referee_id, minor=minor)
    await acts.receives(paid)
    if refunded:
        await acts.receives(refund(paid, refunded))
    await acts.credit()
    return acts, paid


def refund(paid: Deposit, minor: int, kind: TakeBack = TakeBack.REFUND) -> Chargeback:
    return chargeback(paid, kind, amount=usd(minor), dispute_id="refund-1")


async def holds_of(acts: ReferralActs) -> set[HoldReason]:
    return set(await acts.open_hold_reasons())


async def test_what_a_failed_refund_adds_waits_where_a_limit_has_no_room_for_it(
    fresh_database: Database,
) -> None:
    queue = await a_queue(fresh_database, budget=100_000, terms=paying(TENTH, of_month(1000)))
    referrer = unique("referrer")
    first, paid = await friend(queue, referrer, 10_000, refunded=9000)
    second, _ = await friend(queue, referrer, 9000)
    assert await first.referrer_balances() == Balances(available=1000)

    await first.receives(refund(paid, 9000, TakeBack.REFUND_FAILED))
    assert await first.wake() is PAID
    assert await first.referrer_balances() == Balances(available=1000)
    assert await holds_of(first) == {HoldReason.LIMIT}
    assert await state.violated_invariants(fresh_database) == {}

    await queue.takes_back(second.row.id)
    await queue.woken()
    assert await second.wake() is REVERSED
    assert set(await queue.acts_on_wake_ups()) == {first.row.id}
    assert await first.referrer_balances() == Balances(available=1000)
    assert await holds_of(first) == set()
    assert await state.violated_invariants(fresh_database) == {}


async def test_what_rises_needs_beside_its_own_place_only_the_rise(
    fresh_database: Database,
) -> None:
    limit = of_month(1000, rewards=2)
    queue = await a_queue(fresh_database, budget=100_000, terms=paying(TENTH, limit))
    referrer = unique("referrer")
    first, paid = await friend(queue, referrer, 10_000, refunded=5000)
    second, _ = await friend(queue, referrer, 5000)
    await queue.takes_back(second.row.id)
    assert await second.wake() is REVERSED
    third, _ = await friend(queue, referrer, 6000)
    assert (await third.stored_row()).stage is WAITS

    await first.receives(refund(paid, 5000, TakeBack.REFUND_FAILED))
    assert await first.wake() is PAID
    assert await first.referrer_balances() == Balances(available=1000)
    assert await state.violated_invariants(fresh_database) == {}


async def test_what_rises_in_a_later_period_takes_its_place_in_that(
    fresh_database: Database,
) -> None:
    queue = await a_queue(fresh_database, budget=100_000, terms=paying(TENTH, of_month(1000)))
    referrer = unique("referrer")
    first, paid = await friend(queue, referrer, 10_000, refunded=9000)
    await friend(queue, referrer, 9000)

    await first.receives(refund(paid, 9000, TakeBack.REFUND_FAILED))
    assert await first.wake(at=LATER + A_MONTH) is PAID
    assert await first.referrer_balances() == Balances(available=1900)
    assert await state.violated_invariants(fresh_database) == {}


async def test_a_reinstatement_needs_a_place_for_what_was_credited(
    fresh_database: Database,
) -> None:
    terms = paying(tiers(100, 1000), of_month(1200), hold_period=DAY)
    queue = await a_queue(fresh_database, budget=100_000, terms=terms)
    referrer = unique("referrer")
    ids: list[UUID] = []
    for minor in (3100, 4200):
        acts, _ = await friend(queue, referrer, minor)
        ids.append(acts.row.id)
    for id_ in ids:
        assert await queue.acts[id_].wake(at=LATER + DAY) is PAID
    risen = queue.acts[ids[1]]
    assert await risen.referrer_balances() == Balances(available=1100)

    await queue.takes_back(ids[1])
    assert await risen.wake(at=LATER + DAY) is REVERSED
    third, _ = await friend(queue, referrer, 5300)
    assert await third.wake(at=LATER + 3 * DAY) is PAID
    assert await risen.referrer_balances() == Balances(available=1100)
    await queue.takes_back(ids[1], TakeBack.CHARGEBACK_WON)
    assert await risen.wake(at=LATER + 3 * DAY) is REVERSED
    assert await holds_of(risen) == {HoldReason.LIMIT}
    assert await state.violated_invariants(fresh_database) == {}


async def test_a_reinstatement_whose_period_has_ended_is_woken_by_the_next_who_is_paid(
    fresh_database: Database,
) -> None:
    terms = ruled(limits=(Limit(of=LimitOf.REFERRER, per=Per.DAY, rewards=2),))
    queue = await a_queue(fresh_database, budget=100_000, terms=terms)
    referrer = unique("referrer")
    first, _, third = [(await friend(queue, referrer, 1000))[0] for _ in range(3)]
    assert (await third.stored_row()).stage is WAITS
    await queue.takes_back(first.row.id)
    await queue.woken()
    assert await first.wake() is REVERSED
    assert await queue.acts_on_wake_ups() == [third.row.id]
    await queue.takes_back(first.row.id, TakeBack.CHARGEBACK_WON)
    await queue.woken()
    assert await first.wake() is REVERSED
    assert await queue.woken() == []

    tomorrow = await queue.deposits(referrer_id=referrer)
    assert await tomorrow.wake(at=LATER + DAY) is PAID
    assert await queue.woken() == [first.row.id]
    assert await first.wake(at=LATER + DAY) is PAID
    assert await state.violated_invariants(fresh_database) == {}


async def test_what_a_tier_adds_during_a_hold_counts_under_the_yearly_threshold(
    fresh_database: Database,
) -> None:
    terms = paying(tiers(1000, 10_000), hold_period=DAY)
    queue = await a_queue(fresh_database, budget=100_000, terms=terms)
    referrer, thresholds = unique("referrer"), {"USD": usd(3000)}
    found = [
        (await friend(queue, referrer, minor, thresholds=thresholds))[0] for minor in (3100, 4200)
    ]
    assert await found[0].wake(at=LATER + DAY) is PAID
    assert await found[1].wake(at=LATER + DAY) is WAITS
    assert await holds_of(found[1]) == {HoldReason.TAX}
    assert await found[1].referrer_balances() == Balances(available=1000)
    assert await state.violated_invariants(fresh_database) == {}


async def test_what_a_failed_refund_adds_waits_for_the_next_tax_year(
    fresh_database: Database,
) -> None:
    queue = await a_queue(fresh_database, budget=100_000, terms=paying(TENTH))
    referrer, thresholds = unique("referrer"), {"USD": usd(3000)}
    first, paid = await friend(queue, referrer, 10_000, refunded=9000, thresholds=thresholds)
    await friend(queue, referrer, 29_000, thresholds=thresholds)

    await first.receives(refund(paid, 9000, TakeBack.REFUND_FAILED))
    assert await first.wake() is PAID
    assert await first.referrer_balances() == Balances(available=3000)
    assert await holds_of(first) == {HoldReason.TAX}
    assert await state.violated_invariants(fresh_database) == {}

    next_year = NOW.replace(year=NOW.year + 1, month=1, day=2)
    assert await first.wake(at=next_year) is PAID
    assert await first.referrer_balances() == Balances(available=3900)
    assert await holds_of(first) == set()
    assert await state.violated_invariants(fresh_database) == {}


@pytest.mark.parametrize(
    ("budget", "limits"), [(5000, ()), (100_000, (of_month(5000),))], ids=["budget", "limit"]
)
async def test_what_waits_follows_a_refund_and_is_paid_what_is_due(
    fresh_database: Database, budget: int, limits: tuple[Limit, ...]
) -> None:
    queue = await a_queue(fresh_database, budget=budget, terms=paying(TENTH, *limits))
    waiting, paid = await friend(queue, unique("referrer"), 100_000)
    assert (await waiting.stored_row()).stage is WAITS

    await waiting.receives(refund(paid, 80_000))
    assert await waiting.wake() is PAID
    assert await waiting.referrer_balances() == Balances(available=2000)
    assert await state.violated_invariants(fresh_database) == {}


async def test_an_amount_that_was_reserved_once_stays(fresh_database: Database) -> None:
    terms = paying(TENTH, hold_period=DAY)
    queue = await a_queue(fresh_database, budget=100_000, terms=terms)
    held, _ = await friend(queue, unique("referrer"), 10_000)
    changed = text("update rewards set amount_minor = 1001 where referral_id = :id")
    with pytest.raises(DBAPIError, match="is promised or was reserved"):
        async with fresh_database.transaction() as session:
            await session.execute(changed, {"id": held.row.id})
