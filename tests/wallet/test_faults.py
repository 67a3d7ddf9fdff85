"""Faults of a wallet: nothing is paid twice, nothing is lost, and nobody waits for another."""

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from courier.payer import Payer
from domain.wallet.orders import OrderStatus
from sandbox.sportsbook.accounts.faults import Fault
from tests.wallet.world import WalletWorld, pay


@pytest.mark.parametrize("fault", [f for f in Fault if f is not Fault.SLOW])
async def test_credits_once_whatever_goes_wrong_with_the_first_call(
    world: WalletWorld, fault: Fault
) -> None:
    acts = await world.referral()
    world.accounts.faults.inject(fault, times=1)
    await world.pay_all()

    assert world.accounts.faults.counts == {fault: 1}
    assert await world.accounts.store.balance(acts.row.referrer_id) == 1000
    assert len(await world.accounts.store.all_posted()) == 1
    await world.wake(acts)


async def test_an_answer_later_than_the_time_limit_is_looked_up(world: WalletWorld) -> None:
    acts = await world.referral()
    world.accounts.faults.slow_s = 0.5
    world.accounts.faults.inject(Fault.SLOW, times=1)
    payer = Payer(world.database, world.wallet(timeout_s=0.2))
    await pay(payer)
    assert (await world.orders())[0].status is OrderStatus.PENDING

    await world.pay_all(payer)
    assert await world.accounts.store.balance(acts.row.referrer_id) == 1000
    await world.wake(acts)


async def test_an_order_is_looked_up_before_it_is_sent_again(world: WalletWorld) -> None:
    await world.referral()
    world.accounts.faults.inject(Fault.TIMEOUT_AFTER_COMMIT)
    await world.pay_all()

    assert world.accounts.faults.counts == {Fault.TIMEOUT_AFTER_COMMIT: 1}


async def test_a_wallet_that_answers_another_amount_is_named_and_not_applied(
    world: WalletWorld,
) -> None:
    acts = await world.referral()
    referrer_id = acts.row.referrer_id
    world.accounts.faults.inject(Fault.WRONG_AMOUNT)
    world.accounts.faults.wrong_lookup_of.add(referrer_id)
    registry = CollectorRegistry()
    payer = Payer(world.database, world.wallet(), registry=registry)
    with capture_logs() as logged:
        for _ in range(3):
            await world.make_due()
            await pay(payer)

    (order,) = await world.orders()
    assert (order.status, order.attempts) == (OrderStatus.PENDING, 3)
    assert order.fault == "the wallet posted another amount"
    contradictions = [line for line in logged if line["event"] == "wallet_contradicts"]
    assert [line["order_id"] for line in contradictions] == [str(order.id)] * 3
    assert registry.get_sample_value("referrals_wallet_contradictions_total") == 3
    assert (registry.get_sample_value("referrals_wallet_oldest_order_seconds") or 0) > 0
    world.accounts.faults.clear()
    await world.pay_all(payer)
    await world.wake(acts)


async def test_one_players_failing_order_stops_nobody_else(world: WalletWorld) -> None:
    failing = await world.referral()
    world.accounts.faults.inject(Fault.TIMEOUT_BEFORE_COMMIT, player_id=failing.row.referrer_id)
    others = [await world.referral() for _ in range(3)]
    payer = world.payer()
    for _ in range(12):
        await world.make_due()
        await pay(payer)

    for acts in others:
        assert await world.accounts.store.balance(acts.row.referrer_id) == 1000
    assert len(await world.pending()) == 1


async def test_a_wallet_that_is_away_is_left_alone_and_noticed_when_it_is_back(
    world: WalletWorld,
) -> None:
    referrals = [await world.referral() for _ in range(10)]
    world.accounts.faults.is_away = True
    wallet = world.wallet()
    payer = Payer(world.database, wallet)
    for _ in range(6):
        await world.make_due()
        await pay(payer)
    assert wallet.is_away
    attempts = [row.attempts for row in await world.orders()]
    await world.make_due()
    assert await payer.pay() is False
    assert [row.attempts for row in await world.orders()] == attempts

    world.accounts.faults.clear()
    await world.pay_all()
    for acts in referrals:
        assert await world.accounts.store.balance(acts.row.referrer_id) == 1000


async def test_a_refusal_after_a_lost_answer_is_believed_only_if_nothing_was_posted(
    world: WalletWorld,
) -> None:
    acts = await world.referral()
    store = world.accounts.store
    world.accounts.faults.inject(Fault.TIMEOUT_AFTER_COMMIT, times=1)
    payer = world.payer()
    await pay(payer)
    world.accounts.faults.hide_next_lookup = True
    await store.close(acts.row.referrer_id)

    await world.pay_all(payer)
    (order,) = await world.orders()
    assert order.status is OrderStatus.POSTED
    await world.wake(acts)
