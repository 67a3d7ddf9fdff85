"""Budgets that are spread over shards, and whatever looks at them."""

import asyncio
from typing import Final
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from db.engine import Database, Session
from db.tables import AuditRow, BudgetShard
from domain.ledger.movements import Account, Book, Movement, Transfer
from domain.lifecycle.referral import Stage
from domain.money import LARGEST_MINOR
from referrals.campaigns import funding
from referrals.campaigns import views as campaign_views
from referrals.campaigns.budget import Funding
from referrals.campaigns.outcomes import TransitionOutcome
from referrals.campaigns.store import write_audit
from referrals.ledger.posting import BalanceTooLargeError, PostingOutcome, post
from tests import state
from tests.activities.queues import MARKETER, Queue, a_queue, a_queue_of
from tests.activities.test_budget_alerts import alerts
from tests.builders import NOW, fund, unique, usd
from tests.fixtures.database_activity import wait_until_blocked

SHARDS: Final = 3
LOCK_ALL_BUT_ONE: Final = (
    "update accounts set balance_minor = balance_minor + 1 - 1 where id = :id",
    "select from budget_shards where account_id = :id and shard <> 1 for no key update",
)
OF_0_2: Final = text("""
    update accounts set balance_minor = balance_minor - :minor
     where id = :id and balance_minor >= :minor returning balance_minor
""")


async def test_the_first_reward_spreads_a_budget_and_its_sum_is_seen(database: Database) -> None:
    queue = await a_spread_queue(database, budget=100_000)
    assert await shards_of(queue) == []

    await queue.qualifies()

    assert await shards_of(queue) == [24_750] * SHARDS
    assert await state.budget(database, queue.offer.campaign.id) == 99_000
    async with database.reading() as session:
        view = await campaign_views.find_campaign(session, queue.offer.campaign.slug)
    assert view
    assert view.available_budget == usd(99_000)


async def test_two_rewards_of_a_spread_budget_do_not_wait_for_each_other(
    database: Database,
) -> None:
    queue = await a_spread_queue(database, budget=100_000)
    await queue.qualifies()
    async with database.transaction() as session:
        for statement in LOCK_ALL_BUT_ONE:
            await session.execute(text(statement), {"id": account_of(queue).id})
        async with database.transaction() as other:
            await spend(other, queue, 1000)
    assert await shards_of(queue) == [24_750, 23_750, 24_750]


async def test_one_waits_for_a_shard_rather_than_for_all(database: Database) -> None:
    queue = await a_spread_queue(database, budget=100_000)
    await queue.qualifies()
    async with database.transaction() as first, database.transaction() as second:
        await spend(first, queue, 24_750)
        await spend(second, queue, 24_750)
        async with database.transaction() as third:
            await spend(third, queue, 24_750)
    assert await shards_of(queue) == [0, 0, 0]
    assert await state.budget(database, queue.offer.campaign.id) == 24_750


async def test_what_no_shard_has_alone_is_paid_of_all(database: Database) -> None:
    queue = await a_spread_queue(database, budget=100_000)
    await queue.qualifies()
    async with database.transaction() as session:
        await spend(session, queue, 98_999)
    assert await shards_of(queue) == []
    async with database.transaction() as session:
        assert await spend(session, queue, 2) is PostingOutcome.INSUFFICIENT
        assert await spend(session, queue, 1) is PostingOutcome.POSTED
    assert await state.budget(database, queue.offer.campaign.id) == 0


async def test_a_refusal_gathers_what_is_left(database: Database) -> None:
    queue = await a_spread_queue(database, budget=100_000)
    await queue.qualifies()
    async with database.transaction() as session:
        assert await spend(session, queue, 99_001) is PostingOutcome.INSUFFICIENT
    assert await shards_of(queue) == []
    assert await state.budget(database, queue.offer.campaign.id) == 99_000


async def test_two_payments_of_one_transaction_are_both_made(database: Database) -> None:
    queue = await a_spread_queue(database, budget=100_000)
    await queue.qualifies()
    async with database.transaction() as session:
        for _ in range(9):
            assert await spend(session, queue, 11_000) is PostingOutcome.POSTED
        assert await spend(session, queue, 1) is PostingOutcome.INSUFFICIENT


async def test_all_that_is_free_can_be_taken_back_and_no_more(database: Database) -> None:
    queue = await a_spread_queue(database, budget=100_000)
    await queue.qualifies()
    outcomes = []
    for minor in (99_001, 99_000):
        async with database.transaction() as session:
            outcomes.append(
                await funding.defund_campaign(
                    session,
                    queue.offer.campaign.slug,
                    Funding(usd(minor), unique("back")),
                    MARKETER,
                    at=NOW,
                )
            )
    assert outcomes == [TransitionOutcome.INSUFFICIENT, TransitionOutcome.CHANGED]
    assert await state.budget(database, queue.offer.campaign.id) == 0


async def test_no_more_is_funded_than_the_largest_amount_in_all_parts(database: Database) -> None:
    queue = await a_spread_queue(database, budget=100_000)
    await queue.qualifies()
    with pytest.raises(BalanceTooLargeError):
        await queue.funds(LARGEST_MINOR - 99_000 + 1)
    assert await shards_of(queue) == [24_750] * SHARDS


async def test_those_that_wait_are_paid_in_their_order_after_a_refill(database: Database) -> None:
    queue, (_, *waiting) = await a_queue_of(database, 3, paid=1)
    await spreads(queue)
    await queue.funds(50_000)

    assert await queue.acts_on_wake_ups() == waiting
    assert await queue.stages(waiting) == [Stage.REWARDED] * 3
    await queue.qualifies()
    assert await shards_of(queue) == [46_000 // (SHARDS + 1)] * SHARDS


async def test_money_given_back_wakes_who_waits_for_it(database: Database) -> None:
    queue = await a_spread_queue(database, budget=20_000)
    first = await queue.qualifies()
    async with database.transaction() as session:
        await spend(session, queue, 18_500)
    late = await queue.qualifies()
    assert await queue.stages([late]) == [Stage.DEFERRED]

    await queue.takes_back(first)
    await queue.acts[first].wake()

    assert await queue.acts_on_wake_ups() == [late]
    assert await queue.stages([late]) == [Stage.REWARDED]


async def test_alerts_tell_of_the_sum(database: Database) -> None:
    queue = await a_spread_queue(database, budget=20_000)
    for _ in range(20):
        await queue.qualifies()

    assert await alerts(queue) == [(80, 20_000, 4_000), (95, 20_000, 1_000), (100, 20_000, 0)]


async def test_release_0_2_pays_from_the_row_that_it_knows(database: Database) -> None:
    queue = await a_spread_queue(database, budget=100_000)
    await queue.qualifies()
    async with database.transaction() as session:
        values = {"id": account_of(queue).id, "minor": 24_751}
        assert (await session.execute(OF_0_2, values)).all() == []
        values["minor"] = 24_750
        assert await session.scalar(OF_0_2, values) == 0

        async with database.transaction() as other:
            assert await spend(other, queue, 1000) is PostingOutcome.POSTED
        await session.rollback()
    assert await state.budget(database, queue.offer.campaign.id) == 98_000


async def test_a_campaign_that_is_spread_again_wakes_who_was_deferred(database: Database) -> None:
    queue, waiting = await a_queue_of(database, 1)
    await spreads(queue)
    await queue.acts_on_wake_ups()
    async with database.transaction() as session:
        await fund(session, queue.offer.campaign, usd(5000))
    assert await queue.woken() == []

    await spreads(queue)

    assert await queue.acts_on_wake_ups() == waiting
    assert await queue.stages(waiting) == [Stage.REWARDED]


async def test_a_budget_is_kept_in_one_row_again(database: Database) -> None:
    queue = await a_spread_queue(database, budget=100_000)
    await queue.qualifies()
    assert await spreads(queue, 1) is TransitionOutcome.CHANGED
    await queue.qualifies()

    assert await shards_of(queue) == []
    assert await state.budget(database, queue.offer.campaign.id) == 98_000
    async with database.reading() as session:
        signed = select(AuditRow.details["shards"]).where(
            AuditRow.subject == f"campaign:{queue.offer.campaign.slug}",
            AuditRow.action == "campaign.shards",
        )
        assert list(await session.scalars(signed.order_by(AuditRow.id))) == [SHARDS, 1]


async def test_a_spender_that_knows_of_more_shards_than_there_are_makes_no_money(
    database: Database,
) -> None:
    queue = await a_spread_queue(database, budget=100_000)
    await spreads(queue, 16)
    async with database.transaction() as session:
        slug = queue.offer.campaign.slug
        await funding.spread_budgets(session, slug, SHARDS, MARKETER)
        spender = asyncio.create_task(spends(queue, 1000))
        await wait_until_blocked(database, session)
    assert await spender is PostingOutcome.POSTED
    assert await spends(queue, 6000) is PostingOutcome.POSTED
    assert await state.budget(database, queue.offer.campaign.id) == 93_000
    assert len(await shards_of(queue)) == SHARDS


async def test_an_unknown_campaign_is_not_spread(database: Database) -> None:
    async with database.transaction() as session:
        outcome = await funding.spread_budgets(session, "nowhere", 3, MARKETER)
    assert outcome is TransitionOutcome.UNKNOWN


async def test_verify_compares_all_parts_with_the_entries(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    queue = await a_spread_queue(fresh_database, budget=100_000)
    await queue.qualifies()
    assert await state.violated_invariants(fresh_database) == {}
    async with fresh_superuser.transaction() as session:
        await session.execute(
            text("update budget_shards set balance_minor = balance_minor + 1 where shard = 2")
        )
    assert await state.violated_invariants(fresh_database) == {
        "accounts_equal_entries": (str(account_of(queue).id),)
    }


async def a_spread_queue(database: Database, *, budget: int) -> Queue:
    queue = await a_queue(database, budget=budget)
    await spreads(queue)
    return queue


async def spreads(queue: Queue, shards: int = SHARDS) -> TransitionOutcome:
    async with queue.database.transaction() as session:
        slug = queue.offer.campaign.slug
        return await funding.spread_budgets(session, slug, shards, MARKETER)


async def spends(queue: Queue, minor: int) -> PostingOutcome:
    async with queue.database.transaction() as session:
        return await spend(session, queue, minor)


async def spend(session: Session, queue: Queue, minor: int) -> PostingOutcome:
    """Take money out as a reward does, without gathering it, by a signed DEFUND."""
    campaign, reference = queue.offer.campaign, unique("spent")
    transfer = Transfer(
        id=uuid4(), movement=Movement.DEFUND, amount=usd(minor), campaign_id=campaign.id
    )
    outcome = await post(session, [transfer], at=NOW, reference=reference)
    if outcome is PostingOutcome.POSTED:
        details = {"reference": reference, "minor": minor}
        await write_audit(session, campaign, "defund", MARKETER, details=details)
    return outcome


def account_of(queue: Queue) -> Account:
    return Account(book=Book.CAMPAIGN, currency="USD", campaign_id=queue.offer.campaign.id)


async def shards_of(queue: Queue) -> list[int]:
    query = select(BudgetShard.balance_minor).where(
        BudgetShard.account_id == account_of(queue).id, BudgetShard.balance_minor.is_not(None)
    )
    async with queue.database.reading() as session:
        return [minor or 0 for minor in await session.scalars(query.order_by(BudgetShard.shard))]
