"""Reconciliation: green after every kind of trouble, and each planted difference is named."""

# ruff: noqa: S608 - a statement is built from an id of our own

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from db.engine import Database
from db.tables import AuditRow
from domain.lifecycle.referral import Stage
from domain.wallet.orders import OrderStatus
from referrals.access.audit import Actor
from referrals.wallet.differences import DifferenceKind
from referrals.wallet.port import WalletUnclearError
from referrals.wallet.reconciliation import Reconciliation, reconcile
from referrals.wallet.repair import repair
from sandbox.sportsbook.accounts.faults import Fault
from tests.activities.referral_acts import sign_up
from tests.builders import deposit
from tests.wallet.world import WalletWorld, pay

ACTOR = Actor(name="auditor", request_id=None, reason="a test")


async def test_is_green_over_credits_debits_refusals_and_faults(world: WalletWorld) -> None:
    world.accounts.faults.inject(Fault.TIMEOUT_AFTER_COMMIT, times=1)
    acts = await world.rewarded()
    await world.accounts.store.bet(acts.row.referrer_id, 400)
    await world.charge_back(acts)
    await world.pay_all()
    refused = await world.referral()
    await world.accounts.store.close(refused.row.referrer_id)
    await world.settle(refused)
    await world.rewarded(referrer_id=acts.row.referrer_id)

    found = await _reconcile(world)
    assert (found.differences, found.transactions, found.in_flight) == ((), 3, 0)


async def test_orders_in_flight_are_no_differences(world: WalletWorld) -> None:
    acts = await world.referral()
    world.accounts.faults.inject(Fault.TIMEOUT_AFTER_COMMIT, times=1)
    await pay(world.payer())

    found = await _reconcile(world)
    assert (found.differences, found.in_flight) == ((), 1)
    assert await world.settle(acts) is Stage.REWARDED


async def test_reads_every_page_of_the_wallet(world: WalletWorld) -> None:
    acts = await world.rewarded()
    for _ in range(250):
        await world.accounts.store.plant(acts.row.referrer_id, reference=f"bonus:{uuid4()}")

    found = await _reconcile(world)
    assert found.transactions == 251
    assert {d.kind for d in found.differences} == {DifferenceKind.UNKNOWN_HERE}


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("DELETE FROM transactions", DifferenceKind.MISSING_IN_WALLET),
        ("UPDATE transactions SET minor = 999", DifferenceKind.AMOUNT_DIFFERS),
        ("UPDATE transactions SET currency = 'EUR'", DifferenceKind.AMOUNT_DIFFERS),
        ("UPDATE transactions SET player_id = 'other'", DifferenceKind.PLAYER_DIFFERS),
        ("UPDATE transactions SET direction = 'debit'", DifferenceKind.DIRECTION_DIFFERS),
    ],
)
async def test_names_what_was_changed_at_the_wallet(
    world: WalletWorld, statement: str, kind: DifferenceKind
) -> None:
    await world.rewarded()
    (order,) = await world.orders()
    await world.accounts.store.pool.execute(statement)

    (difference,) = (await _reconcile(world)).differences
    assert (difference.kind, difference.reference) == (kind, str(order.id))


async def test_names_a_transaction_that_nobody_here_ordered(world: WalletWorld) -> None:
    acts = await world.rewarded()
    reference = str(uuid4())
    await world.accounts.store.plant(acts.row.referrer_id, reference=reference)

    (difference,) = (await _reconcile(world)).differences
    assert (difference.kind, difference.reference) == (DifferenceKind.UNKNOWN_HERE, reference)


async def test_names_a_reference_that_the_wallet_lists_twice(world: WalletWorld) -> None:
    await world.rewarded()
    (order,) = await world.orders()
    pool = world.accounts.store.pool
    await pool.execute("ALTER TABLE transactions DROP CONSTRAINT transactions_pkey")
    await pool.execute("INSERT INTO transactions SELECT * FROM transactions")

    (difference,) = (await _reconcile(world)).differences
    assert (difference.kind, difference.reference) == (DifferenceKind.LISTED_TWICE, str(order.id))


async def test_names_a_reward_that_does_not_show_its_order(
    world: WalletWorld, fresh_superuser: Database
) -> None:
    await world.rewarded()
    (order,) = await world.orders()
    await _change(
        fresh_superuser,
        "set session_replication_role = replica",
        f"update rewards set status = 'HELD' where id = '{order.reward_id}'",
    )
    (difference,) = (await _reconcile(world)).differences
    assert (difference.kind, difference.reference) == (DifferenceKind.REWARD_DIFFERS, str(order.id))
    await _change(
        fresh_superuser,
        "set session_replication_role = replica",
        f"update rewards set status = 'ISSUED' where id = '{order.reward_id}'",
    )


async def test_compares_only_the_period_and_by_reference_across_its_edges(
    world: WalletWorld,
) -> None:
    await world.rewarded()
    await world.accounts.store.pool.execute(
        "UPDATE transactions SET posted_at = posted_at - interval '1 day'"
    )
    resolved_at = (await world.orders())[0].resolved_at
    assert resolved_at

    around = resolved_at - timedelta(seconds=5)
    assert (await _reconcile(world, since=around)).differences == ()
    await world.accounts.store.pool.execute("DELETE FROM transactions")
    before = await _reconcile(world, since=around - timedelta(days=2), until=around)
    assert before.differences == ()


async def test_names_what_the_ledger_did_not_book_in_time(world: WalletWorld) -> None:
    acts = await world.referral()
    await world.pay_all()
    assert (await _reconcile(world)).differences == ()
    await _change(world.database, "update payment_orders set resolved_at = '2026-01-01'")

    (difference,) = (
        await _reconcile(world, since=datetime.fromisoformat("2025-12-31T00:00Z"))
    ).differences
    assert difference.kind is DifferenceKind.NOT_BOOKED
    assert difference.age > timedelta(days=1)
    await world.wake(acts)


async def test_names_where_the_ledger_and_the_order_differ(
    world: WalletWorld, fresh_superuser: Database
) -> None:
    await world.rewarded()
    (order,) = await world.orders()
    await _change(
        fresh_superuser,
        "set session_replication_role = replica",
        "update transfers set reference = null where movement = 'release'",
    )
    found = await _reconcile(world)
    assert {d.kind for d in found.differences} == {
        DifferenceKind.LEDGER_DIFFERS,
        DifferenceKind.CREDIT_WITHOUT_ORDER,
    }
    await _change(
        fresh_superuser,
        "set session_replication_role = replica",
        f"update transfers set reference = '{order.id}' where movement = 'release'",
    )


async def test_credits_from_before_the_first_order_are_no_differences(world: WalletWorld) -> None:
    acts = await sign_up(world.database, has_wallet=False)
    await acts.receives(deposit(acts.referee_id))
    assert (await acts.credit()).stage is Stage.REWARDED
    long_ago = datetime.fromisoformat("2020-01-01T00:00Z")
    assert await world.orders() == []
    assert (await _reconcile(world, since=long_ago)).differences == ()

    await world.rewarded()
    assert (await _reconcile(world, since=long_ago)).differences == ()


async def test_sends_a_credit_that_the_wallet_lost_again_under_its_reference(
    world: WalletWorld,
) -> None:
    acts = await world.rewarded()
    await world.accounts.store.pool.execute("DELETE FROM transactions")
    await world.accounts.store.pool.execute("UPDATE accounts SET minor = 0")

    repaired = await _repair(world)
    assert repaired.open == ()
    assert await world.accounts.store.balance(acts.row.referrer_id) == 1000
    assert (await _reconcile(world)).differences == ()
    assert await _audited(world) == ["reconcile.send_again"]


async def test_records_a_posting_that_we_took_for_a_refusal(world: WalletWorld) -> None:
    acts = await world.referral()
    await world.accounts.store.close(acts.row.referrer_id)
    await world.settle(acts)
    await world.accounts.store.reopen(acts.row.referrer_id)
    (order,) = await world.orders()
    await world.accounts.store.plant(acts.row.referrer_id, reference=str(order.id))
    (difference,) = (await _reconcile(world)).differences
    assert difference.kind is DifferenceKind.NOT_RECORDED

    assert (await _repair(world)).open == ()
    assert await world.wake(acts) is Stage.REWARDED
    assert (await _reconcile(world)).differences == ()


async def test_does_not_repair_what_people_must_settle(world: WalletWorld) -> None:
    acts = await world.rewarded()
    await world.accounts.store.plant(acts.row.referrer_id, reference=str(uuid4()))
    await world.charge_back(acts)
    await world.pay_all()
    debit = (await world.orders())[-1]
    assert debit.status is OrderStatus.POSTED
    await world.accounts.store.pool.execute(
        "DELETE FROM transactions WHERE reference = $1", str(debit.id)
    )

    repaired = await _repair(world)
    assert {d.kind for d in repaired.open} == {
        DifferenceKind.UNKNOWN_HERE,
        DifferenceKind.MISSING_IN_WALLET,
    }
    assert await _audited(world) == []


async def test_a_wallet_that_is_away_is_not_green(world: WalletWorld) -> None:
    await world.rewarded()
    world.accounts.faults.is_away = True
    with pytest.raises(WalletUnclearError):
        await _reconcile(world)


async def _reconcile(
    world: WalletWorld, *, since: datetime | None = None, until: datetime | None = None
) -> Reconciliation:
    return await reconcile(world.database, world.wallet(), since=since, until=until)


async def _repair(world: WalletWorld) -> Reconciliation:
    return await repair(world.database, world.wallet(), await _reconcile(world), ACTOR)


async def _audited(world: WalletWorld) -> list[str]:
    query = select(AuditRow.action).where(AuditRow.actor == ACTOR.name).order_by(AuditRow.id)
    async with world.database.reading() as session:
        return list(await session.scalars(query))


async def _change(database: Database, *statements: str) -> None:
    async with database.transaction() as session:
        for statement in statements:
            await session.execute(text(statement))
