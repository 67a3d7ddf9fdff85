"""Limits of rewards, by the acts: paid, deferred to the next period, refused, and freed again."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import select

from db.engine import Database
from db.tables import TimelineRow
from domain.campaigns.limits.decision import Limit, LimitOf, Over
from domain.campaigns.limits.periods import Per
from domain.campaigns.options import CampaignOptions
from domain.campaigns.rules import QualifyingAction
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.terms import Terms
from domain.intake.facts import TakeBack
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from tests import state
from tests.activities.campaigns.ruled import ruled
from tests.activities.queues import Queue, a_queue
from tests.activities.referral_acts import LATER
from tests.builders import chargeback, deposit, unique, usd
from tests.state import Balances

DAY: Final = timedelta(days=1)
NEXT_DAY: Final = datetime(LATER.year, LATER.month, LATER.day, tzinfo=UTC) + DAY
PAID, WAITS, REFUSED = Stage.REWARDED, Stage.DEFERRED, Stage.REJECTED


def limited(
    of: LimitOf = LimitOf.REFERRER,
    per: Per = Per.DAY,
    *,
    over: Over = Over.DEFER,
    **amounts: Any,  # noqa: ANN401 - of rewards, or of money
) -> Terms:
    return ruled(limits=(Limit(of=of, per=per, over=over, **(amounts or {"rewards": 2})),))


def usd_json(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


async def asks(queue: Queue, number: int, *, referrer_id: str | None = None) -> list[UUID]:
    """Let referrals qualify one after the other, a minute apart."""
    asking = [await queue.deposits(referrer_id=referrer_id) for _ in range(number)]
    for minutes, acts in enumerate(asking):
        await acts.credit(at=LATER - timedelta(minutes=number - minutes))
    return [acts.row.id for acts in asking]


@pytest.mark.parametrize(("over", "stage"), [(Over.DEFER, WAITS), (Over.REFUSE, REFUSED)])
async def test_what_a_tier_adds_during_a_hold_counts_under_the_limit(
    fresh_database: Database, over: Over, stage: Stage
) -> None:
    tiers = [{"from": 1, "flat": usd_json(500)}, {"from": 2, "flat": usd_json(900)}]
    rewards = read_rewards([{"to": "referrer", "amount": {"tiers": tiers}}], "", currency="USD")
    limits = (Limit(of=LimitOf.REFERRER, per=Per.CAMPAIGN, amount=usd(1000), over=over),)
    terms = replace(ruled(limits=limits, rewards=rewards), referrer_reward=usd(0), hold_period=DAY)
    queue = await a_queue(fresh_database, budget=100_000, terms=terms)
    first, second = await asks(queue, 2, referrer_id=unique("referrer"))
    assert await queue.stages([first, second]) == [Stage.HELD, Stage.HELD]

    assert await queue.acts[first].wake(at=LATER + 2 * DAY) is PAID
    assert await queue.acts[second].wake(at=LATER + 2 * DAY) is stage
    assert await queue.acts[second].referrer_balances() == Balances(available=500)
    assert await state.violated_invariants(fresh_database) == {}


@pytest.mark.parametrize("of", list(LimitOf))
@pytest.mark.parametrize("amounts", [{"rewards": 1}, {"amount": usd(1999)}])
async def test_what_exceeds_a_limit_is_paid_in_the_next_period_the_longest_waiting_first(
    fresh_database: Database, of: LimitOf, amounts: dict[str, Any]
) -> None:
    queue = await a_queue(fresh_database, budget=100_000, terms=limited(of, **amounts))
    ids = await asks(queue, 3, referrer_id=unique("referrer"))
    assert await queue.stages(ids) == [PAID, WAITS, WAITS]
    waiting, last = queue.acts[ids[1]], queue.acts[ids[2]]
    assert await waiting.open_hold_reasons() == {HoldReason.LIMIT}
    assert (await waiting.stored_row()).until == NEXT_DAY
    assert await queue.acts_on_wake_ups() == []

    assert await last.wake(at=NEXT_DAY) is WAITS
    assert (await last.stored_row()).until == NEXT_DAY + DAY
    assert await waiting.wake(at=NEXT_DAY) is PAID
    assert await last.wake(at=NEXT_DAY + DAY) is PAID
    assert await last.referrer_balances() == Balances(available=3000)
    assert await state.violated_invariants(fresh_database) == {}


async def test_a_new_one_goes_behind_those_whose_period_has_begun(database: Database) -> None:
    queue = await a_queue(database, budget=100_000, terms=limited(rewards=1))
    referrer = unique("referrer")
    ids = await asks(queue, 2, referrer_id=referrer)
    late = await queue.deposits(referrer_id=referrer)

    assert await late.wake(at=NEXT_DAY) is WAITS
    assert await queue.acts[ids[1]].wake(at=NEXT_DAY) is PAID


async def test_held_rewards_have_their_place(database: Database) -> None:
    terms = replace(limited(rewards=1), hold_period=3 * DAY)
    queue = await a_queue(database, budget=100_000, terms=terms)
    ids = await asks(queue, 2, referrer_id=unique("referrer"))
    assert await queue.stages(ids) == [Stage.HELD, WAITS]

    assert await queue.acts[ids[0]].wake(at=LATER + 3 * DAY) is PAID


async def test_over_a_limit_that_refuses_a_referral_is_rejected(database: Database) -> None:
    terms = limited(rewards=1, over=Over.REFUSE)
    queue = await a_queue(database, budget=100_000, terms=terms)
    ids = await asks(queue, 2, referrer_id=unique("referrer"))
    assert await queue.stages(ids) == [PAID, REFUSED]

    async with database.reading() as session:
        query = select(TimelineRow.reason_code).where(TimelineRow.referral_id == ids[1])
        assert await session.scalar(query.order_by(TimelineRow.step.desc())) == ReasonCode.LIMIT


async def test_another_referrer_has_a_limit_of_their_own(database: Database) -> None:
    queue = await a_queue(database, budget=100_000, terms=limited(rewards=1))
    assert await queue.stages(await asks(queue, 3)) == [PAID] * 3


async def test_a_reversed_reward_frees_its_place_for_the_longest_waiting(
    database: Database,
) -> None:
    queue = await a_queue(database, budget=100_000, terms=limited(rewards=1))
    ids = await asks(queue, 3, referrer_id=unique("referrer"))
    await queue.takes_back(ids[0])
    await queue.woken()
    assert await queue.acts[ids[0]].wake() is Stage.REVERSED
    assert await queue.acts_on_wake_ups() == [ids[1], ids[2]]

    assert await queue.stages(ids) == [Stage.REVERSED, PAID, WAITS]


async def test_a_reinstatement_waits_where_its_place_was_taken(database: Database) -> None:
    queue = await a_queue(database, budget=100_000, terms=limited(rewards=1))
    ids = await asks(queue, 2, referrer_id=unique("referrer"))
    first, second = (queue.acts[id_] for id_ in ids)
    await queue.takes_back(ids[0])
    await first.wake()
    await queue.acts_on_wake_ups()
    won = chargeback(queue.paid[ids[0]], TakeBack.CHARGEBACK_WON, at=LATER)
    await first.receives(won)
    assert await first.wake() is Stage.REVERSED
    assert await first.open_hold_reasons() == {HoldReason.LIMIT}

    await queue.takes_back(ids[1])
    await queue.woken()
    assert await second.wake() is Stage.REVERSED
    assert set(await queue.acts_on_wake_ups()) == {ids[0]}
    assert await queue.stages(ids) == [PAID, Stage.REVERSED]


async def test_a_voided_reward_frees_its_place(database: Database) -> None:
    terms = replace(limited(LimitOf.CAMPAIGN, rewards=1), hold_period=3 * DAY)
    queue = await a_queue(database, budget=100_000, terms=terms)
    ids = await asks(queue, 2)
    await queue.takes_back(ids[0])
    await queue.woken()
    assert await queue.acts[ids[0]].wake() is Stage.VOIDED
    assert await queue.acts_on_wake_ups() == [ids[1]]
    assert await queue.stages(ids) == [Stage.VOIDED, Stage.HELD]


async def test_over_a_limit_of_the_whole_campaign_its_end_ends_the_wait(
    database: Database,
) -> None:
    queue = await a_queue(database, budget=100_000, terms=limited(per=Per.CAMPAIGN, rewards=1))
    ids = await asks(queue, 2, referrer_id=unique("referrer"))
    assert await queue.stages(ids) == [PAID, WAITS]
    await queue.ends()

    assert await queue.acts_on_wake_ups() == [ids[1]]
    assert await queue.stages(ids) == [PAID, Stage.UNFUNDED]


@pytest.mark.parametrize("of", list(LimitOf))
async def test_as_many_as_a_limit_allows_are_paid_however_many_act_at_once(
    database: Database, of: LimitOf
) -> None:
    queue = await a_queue(database, budget=100_000, terms=limited(of, rewards=7))
    referrer = unique("referrer")
    waiting = [await queue.deposits(referrer_id=referrer) for _ in range(32)]
    for acts in waiting:
        await acts.score()
    requests = [await acts.act_request() for acts in waiting]
    acting = zip(waiting, requests, strict=True)
    await asyncio.gather(*(acts.rewards.credit_reward(request) for acts, request in acting))

    stages = await queue.stages([acts.row.id for acts in waiting])
    assert (stages.count(PAID), stages.count(WAITS)) == (7, 25)


@pytest.mark.parametrize(
    ("zone", "now", "until"),
    [
        # Days of 23 and of 25 hours, and the last day of a February that has 29.
        ("Europe/Berlin", "2026-03-29T10:00:00+02:00", "2026-03-29T22:00:00Z"),
        ("America/New_York", "2026-11-01T00:30:00-04:00", "2026-11-02T05:00:00Z"),
        ("Asia/Tokyo", "2028-02-29T23:59:59+09:00", "2028-02-29T15:00:00Z"),
    ],
)
async def test_a_day_is_that_of_the_campaign_s_zone(
    database: Database, zone: str, now: str, until: str
) -> None:
    options = CampaignOptions(time_zone=zone)
    queue = await a_queue(database, budget=100_000, terms=limited(rewards=1), options=options)
    referrer, at = unique("referrer"), datetime.fromisoformat(now)
    first, second = [await queue.deposits(referrer_id=referrer) for _ in range(2)]
    assert [await first.wake(at=at), await second.wake(at=at)] == [PAID, WAITS]
    assert (await second.stored_row()).until == datetime.fromisoformat(until)
    assert await second.wake(at=datetime.fromisoformat(until)) is PAID


@pytest.mark.parametrize("in_two_acts", [False, True])
async def test_a_place_that_one_who_is_rejected_leaves_goes_to_the_next(
    fresh_database: Database, *, in_two_acts: bool
) -> None:
    terms = limited(per=Per.CAMPAIGN, rewards=1)
    terms = replace(terms, rules=replace(terms.rules, on=QualifyingAction.FIRST_DEPOSIT))
    queue = await a_queue(fresh_database, budget=100_000, terms=terms)
    first, second, third = await asks(queue, 3, referrer_id=unique("referrer"))
    assert await queue.stages([first, second, third]) == [PAID, WAITS, WAITS]

    await queue.takes_back(first)
    assert await queue.acts[first].wake() is Stage.REVERSED
    # The next one, which is woken for the place, turns out to have begun with too small a deposit.
    acts, earlier = queue.acts[second], queue.paid[second].occurred_at - timedelta(minutes=1)
    await acts.receives(deposit(acts.referee_id, minor=10, at=earlier))
    if in_two_acts:
        assert (await acts.score()).standing.stage is REFUSED
    await queue.acts_on_wake_ups()

    assert await queue.stages([second, third]) == [REFUSED, PAID]
