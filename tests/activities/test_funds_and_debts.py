"""The funds queue and debts: a credit that recovers a debt needs less of the campaign's money."""

from uuid import UUID

import pytest

from db.engine import Database
from domain.intake.facts import TakeBack
from domain.lifecycle.referral import Stage
from referrals.ledger.spending import spend
from tests.activities.queues import Queue, a_queue, a_queue_of
from tests.builders import NOW, unique, usd


async def test_what_another_campaign_recovers_pays_the_one_that_waits_longest(
    database: Database,
) -> None:
    queue, (indebted, waiting) = await a_queue_of(database, 1, paid=1)
    referrer_id = queue.acts[indebted].row.referrer_id
    async with database.transaction() as session:
        await spend(session, player_id=referrer_id, amount=usd(), reference="bet", at=NOW)
    await queue.takes_back(indebted)
    await queue.acts[indebted].wake()
    assert await queue.woken() == []

    other = await a_queue(database, budget=1000)
    await other.qualifies(referrer_id=referrer_id)

    assert await queue.acts_on_wake_ups() == [waiting]
    assert await queue.stages([waiting]) == [Stage.REWARDED]


async def test_a_debt_to_the_campaign_pays_the_waiting_referral_whose_credit_recovers_it(
    database: Database,
) -> None:
    queue = await a_queue(database, budget=1000)
    indebted, referrer_id = await _paid_and_spent(queue)
    waiting = await queue.qualifies(referrer_id=referrer_id)
    await queue.takes_back(indebted)
    await queue.acts[indebted].wake()

    assert await queue.acts_on_wake_ups() == [waiting]
    assert await queue.stages([indebted, waiting]) == [Stage.REVERSED, Stage.REWARDED]


@pytest.mark.parametrize("is_forgiven", [False, True], ids=["recovered", "forgiven"])
async def test_an_older_debt_that_ends_pays_the_referral_whose_credit_recovers_the_next(
    database: Database, *, is_forgiven: bool
) -> None:
    older, queue = [await a_queue(database, budget=1000) for _ in range(2)]
    first, referrer_id = await _paid_and_spent(older)
    second, _ = await _paid_and_spent(queue, referrer_id=referrer_id)
    waiting = await queue.qualifies(referrer_id=referrer_id)
    for campaign, indebted in ((older, first), (queue, second)):
        await campaign.takes_back(indebted)
        await campaign.acts[indebted].wake()
    await queue.acts_on_wake_ups()
    assert await queue.stages([waiting]) == [Stage.DEFERRED]

    if is_forgiven:
        await older.takes_back(first, TakeBack.CHARGEBACK_WON)
        await older.acts[first].wake()
    else:
        other = await a_queue(database, budget=1000)
        await other.qualifies(referrer_id=referrer_id)

    assert await queue.acts_on_wake_ups() == [waiting]
    assert await queue.stages([waiting]) == [Stage.REWARDED]


async def _paid_and_spent(queue: Queue, *, referrer_id: str | None = None) -> tuple[UUID, str]:
    """Let a referral be rewarded, and its referrer spend all of it."""
    paid = await queue.qualifies(referrer_id=referrer_id)
    referrer_id = queue.acts[paid].row.referrer_id
    async with queue.database.transaction() as session:
        await spend(session, player_id=referrer_id, amount=usd(), reference=unique("bet"), at=NOW)
    return paid, referrer_id
