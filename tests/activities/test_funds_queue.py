"""The funds queue: money that comes back or in pays those that wait for it, in their order."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from db.engine import Database
from db.tables import ReferralRow
from domain.intake.facts import PlayerStatus, TakeBack
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from referrals.campaigns import transitions
from referrals.campaigns.funds_queue import MAX_AT_ONCE
from referrals.campaigns.offers import load_schedule
from referrals.campaigns.outcomes import CampaignTransition, TransitionOutcome
from tests import state
from tests.activities.queues import MARKETER, a_queue, a_queue_of
from tests.activities.referral_acts import sign_up
from tests.builders import NOW, TERMS, deposit, status_change, usd
from tests.fixtures.database_activity import wait_until_blocked


async def test_money_that_a_chargeback_brings_back_pays_the_one_that_waits_longest(
    database: Database,
) -> None:
    queue, (reversed_, first, second) = await a_queue_of(database, 2, paid=1)
    await queue.takes_back(reversed_)
    await queue.acts[reversed_].wake()

    assert await queue.acts_on_wake_ups() == [first]
    assert await queue.stages([reversed_, first, second]) == [
        Stage.REVERSED,
        Stage.REWARDED,
        Stage.DEFERRED,
    ]


async def test_a_voided_hold_pays_the_one_that_waits_longest(database: Database) -> None:
    terms = replace(TERMS, hold_period=timedelta(days=7))
    queue = await a_queue(database, budget=1000, terms=terms)
    held, waiting = [await queue.qualifies() for _ in range(2)]
    assert await queue.stages([held, waiting]) == [Stage.HELD, Stage.DEFERRED]
    await queue.takes_back(held, TakeBack.REFUND)
    await queue.acts[held].wake()

    assert await queue.acts_on_wake_ups() == [waiting]
    assert await queue.stages([held, waiting]) == [Stage.VOIDED, Stage.HELD]


async def test_a_top_up_wakes_as_many_as_it_pays_in_the_order_of_waiting(
    database: Database,
) -> None:
    queue, ids = await a_queue_of(database, 4)
    await queue.funds(2000)

    assert await queue.acts_on_wake_ups() == ids[:2]
    assert await queue.stages(ids) == [Stage.REWARDED] * 2 + [Stage.DEFERRED] * 2


async def test_a_top_up_for_more_than_are_woken_at_once_pays_them_all(database: Database) -> None:
    waiting = MAX_AT_ONCE + 2
    queue, ids = await a_queue_of(database, waiting)
    await queue.funds(1000 * waiting)

    woken = await queue.woken()
    assert woken == ids[:MAX_AT_ONCE]
    for referral_id in woken:
        await queue.acts[referral_id].wake()
    assert await queue.acts_on_wake_ups() == ids[MAX_AT_ONCE:]
    assert set(await queue.stages(ids)) == {Stage.REWARDED}


async def test_the_end_of_a_campaign_reaches_all_that_wait(database: Database) -> None:
    waiting = MAX_AT_ONCE + 2
    queue, ids = await a_queue_of(database, waiting)
    await queue.ends()

    assert await queue.acts_on_wake_ups() == ids
    assert set(await queue.stages(ids)) == {Stage.UNFUNDED}


async def test_one_that_gives_up_wakes_the_next(database: Database) -> None:
    queue, (first, second) = await a_queue_of(database, 2)
    await queue.funds(1000)
    await queue.takes_back(first, TakeBack.REFUND)

    assert await queue.acts_on_wake_ups() == [first, second]
    assert await queue.stages([first, second]) == [Stage.VOIDED, Stage.REWARDED]


async def test_a_new_referral_does_not_overtake_those_that_wait(database: Database) -> None:
    queue, (first,) = await a_queue_of(database, 1)
    await queue.funds(1000)
    new = await queue.qualifies()

    assert await queue.stages([new]) == [Stage.DEFERRED]
    assert await queue.acts_on_wake_ups() == [first]
    assert await queue.stages([first, new]) == [Stage.REWARDED, Stage.DEFERRED]


async def test_a_new_referral_is_paid_at_once_where_the_budget_covers_all(
    database: Database,
) -> None:
    queue, (first,) = await a_queue_of(database, 1)
    await queue.funds(2000)
    new = await queue.qualifies()

    assert await queue.stages([new]) == [Stage.REWARDED]
    assert await queue.acts_on_wake_ups() == [first]
    assert await queue.stages([first]) == [Stage.REWARDED]


async def test_one_that_looks_again_by_itself_does_not_overtake(database: Database) -> None:
    queue, (first, second) = await a_queue_of(database, 2)
    await queue.funds(1000)

    assert await queue.acts[second].wake() is Stage.DEFERRED
    assert await queue.acts[first].wake() is Stage.REWARDED


async def test_a_won_chargeback_waits_in_the_same_queue(database: Database) -> None:
    queue, (reversed_, taker) = await a_queue_of(database, 1, paid=1)
    await queue.takes_back(reversed_)
    await queue.acts[reversed_].wake()
    assert await queue.acts_on_wake_ups() == [taker]
    await queue.takes_back(reversed_, TakeBack.CHARGEBACK_WON)
    assert await queue.acts[reversed_].wake() is Stage.REVERSED
    later = await queue.qualifies()

    await queue.funds(2000)
    assert await queue.acts_on_wake_ups() == [reversed_, later]
    assert await queue.stages([reversed_, later]) == [Stage.REWARDED] * 2


async def test_a_new_referral_does_not_overtake_a_won_chargeback(database: Database) -> None:
    queue, (reversed_, taker) = await a_queue_of(database, 1, paid=1)
    await queue.takes_back(reversed_)
    await queue.acts[reversed_].wake()
    assert await queue.acts_on_wake_ups() == [taker]
    await queue.takes_back(reversed_, TakeBack.CHARGEBACK_WON)
    assert await queue.acts[reversed_].wake() is Stage.REVERSED
    assert await queue.acts[reversed_].open_hold_reasons() == {HoldReason.FUNDS}

    await queue.funds(1000)
    new = await queue.qualifies()
    assert await queue.stages([new]) == [Stage.DEFERRED]
    assert await queue.acts_on_wake_ups() == [reversed_]
    assert await queue.stages([reversed_, new]) == [Stage.REWARDED, Stage.DEFERRED]
    assert await queue.acts[reversed_].open_hold_reasons() == set()


async def test_one_that_gives_up_and_was_never_woken_wakes_the_next(database: Database) -> None:
    queue = await a_queue(database, budget=1000, terms=replace(TERMS, referee_reward=usd()))
    larger = await queue.qualifies()
    await queue.revises(terms=TERMS)
    smaller = await queue.qualifies()
    assert await queue.stages([larger, smaller]) == [Stage.DEFERRED] * 2
    await queue.takes_back(larger, TakeBack.REFUND)
    await queue.acts[larger].wake()

    assert await queue.acts_on_wake_ups() == [smaller]
    assert await queue.stages([larger, smaller]) == [Stage.VOIDED, Stage.REWARDED]


async def test_one_that_may_not_be_paid_now_lets_the_next_go_first(database: Database) -> None:
    queue, (reversed_, taker) = await a_queue_of(database, 1, paid=1)
    await queue.takes_back(reversed_)
    await queue.acts[reversed_].wake()
    assert await queue.acts_on_wake_ups() == [taker]
    await queue.takes_back(reversed_, TakeBack.CHARGEBACK_WON)
    assert await queue.acts[reversed_].wake() is Stage.REVERSED
    excluded = queue.acts[reversed_].row.referrer_id
    later = await queue.qualifies()
    await queue.acts[reversed_].receives(
        status_change(excluded, PlayerStatus.SELF_EXCLUDED), player_id=excluded
    )

    await queue.funds(1000)
    assert await queue.acts_on_wake_ups() == [reversed_, later]
    assert await queue.stages([reversed_, later]) == [Stage.REVERSED, Stage.REWARDED]


async def test_a_campaign_does_not_end_while_a_referral_begins_to_wait(database: Database) -> None:
    queue = await a_queue(database)
    acts = await sign_up(database, offer=queue.offer)
    queue.acts[acts.row.id] = acts
    async with database.transaction() as deferring:
        row = await deferring.get_one(ReferralRow, acts.row.id)
        schedule = await load_schedule(deferring, row.campaign_id)
        assert not schedule.has_ended(NOW)
        ending = asyncio.create_task(queue.ends())
        await wait_until_blocked(database, deferring)
        row.awaits_funds = True
    assert await ending is TransitionOutcome.CHANGED

    assert await queue.woken() == [acts.row.id]


async def test_a_referral_that_begins_to_wait_sees_that_its_campaign_is_being_ended(
    database: Database,
) -> None:
    queue = await a_queue(database)
    acts = await sign_up(database, offer=queue.offer)
    await acts.receives(deposit(acts.referee_id))
    await acts.score()
    request = await acts.act_request()
    async with database.transaction() as ending:
        slug = queue.offer.campaign.slug
        await transitions.apply_transition(ending, slug, CampaignTransition.END, MARKETER, at=NOW)
        crediting = asyncio.create_task(acts.rewards.credit_reward(request))
        await wait_until_blocked(database, ending)
    assert (await crediting).stage is Stage.UNFUNDED


async def test_ending_against_deferring_leaves_nobody_asleep(database: Database) -> None:
    for _ in range(10):
        queue = await a_queue(database)
        acts = [await queue.deposits() for _ in range(3)]
        await asyncio.gather(*(a.credit() for a in acts), queue.funds(1), queue.ends())
        await queue.acts_on_wake_ups()
        assert set(await queue.stages(list(queue.acts))) == {Stage.UNFUNDED}


async def test_funding_against_deferring_deadlocks_nobody(database: Database) -> None:
    queue = await a_queue(database)
    await asyncio.gather(
        *(step for _ in range(8) for step in (queue.qualifies(), queue.funds(1000)))
    )
    await queue.acts_on_wake_ups()

    assert await state.budget(database, queue.offer.campaign.id) == 0
    assert set(await queue.stages(list(queue.acts))) == {Stage.REWARDED}


async def test_its_place_is_the_time_since_which_it_waits(database: Database) -> None:
    queue, (first, second) = await a_queue_of(database, 2)
    async with database.reading() as session:
        query = select(ReferralRow.awaits_funds_since).order_by(ReferralRow.awaits_funds_since)
        since = list(await session.scalars(query.where(ReferralRow.id.in_([first, second]))))
    await queue.acts[first].wake()
    rows = [await queue.acts[id_].stored_row() for id_ in (first, second)]

    assert [row.awaits_funds_since for row in rows] == since
    await queue.funds(1000)
    await queue.acts_on_wake_ups()
    assert (await queue.acts[first].stored_row()).awaits_funds_since is None
