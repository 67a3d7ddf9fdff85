"""Couriers that pay: killed between call and commit, several at once, and in a burst."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Final

import pytest

from courier.payer import Payer
from domain.lifecycle.referral import Stage
from domain.wallet.orders import OrderStatus
from sandbox.sportsbook.accounts.faults import Fault
from sandbox.sportsbook.polling import wait_until
from tests.activities.referral_acts import ReferralActs
from tests.builders import an_offer, usd
from tests.fixtures.databases import DatabaseUrls
from tests.wallet import dying_courier
from tests.wallet.world import WalletWorld, pay

TIMEOUTS: Final = int(os.environ.get("WALLET_TIMEOUTS", "30"))
"""Credits whose every call ends in a time-out after the commit; set it for a longer run."""


async def test_a_courier_killed_between_call_and_commit_pays_nothing_twice(
    world: WalletWorld, fresh_urls: DatabaseUrls
) -> None:
    acts = await world.referral()
    arguments = (fresh_urls.application, world.accounts.url, world.accounts.token)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", dying_courier.__name__, *arguments, cwd=Path.cwd(), env=os.environ
    )
    assert await process.wait() == -signal.SIGKILL
    (order,) = await world.orders()
    assert (order.status, order.attempts) == (OrderStatus.PENDING, 1)
    assert await world.accounts.store.balance(acts.row.referrer_id) == 1000

    assert await world.settle(acts) is Stage.REWARDED
    assert await world.accounts.store.balance(acts.row.referrer_id) == 1000
    assert len(await world.accounts.store.all_posted()) == 1


async def test_a_lease_that_ends_while_the_first_courier_still_calls_is_harmless(
    world: WalletWorld,
) -> None:
    acts = await world.referral()
    faults = world.accounts.faults
    faults.slow_s = 1.0
    faults.inject(Fault.SLOW, times=1)
    slow = asyncio.create_task(Payer(world.database, world.wallet(timeout_s=5)).pay())

    async def is_called() -> bool:
        return bool(faults.counts)

    await wait_until(is_called, bool, what="the first call")
    await world.make_due()
    await pay(world.payer())
    await slow

    assert len(await world.accounts.store.all_posted()) == 1
    assert await world.looks(acts.row.id) == [f"payment/{row.id}" for row in await world.orders()]
    assert await world.wake(acts) is Stage.REWARDED


async def test_several_couriers_share_the_orders(world: WalletWorld) -> None:
    referrals = await _burst(world, 10)
    payers = [world.payer() for _ in range(3)]
    for _ in range(2):
        await asyncio.gather(*(pay(payer) for payer in payers))
    await world.pay_all()

    assert {row.attempts for row in await world.orders()} == {1}
    await _assert_each_is_paid_once(world, referrals)


@pytest.mark.timeout(400)
async def test_pays_each_credit_once_though_every_call_times_out_after_the_commit(
    world: WalletWorld,
) -> None:
    referrals = await _burst(world, TIMEOUTS // 2)
    world.accounts.faults.inject(Fault.TIMEOUT_AFTER_COMMIT)
    await world.pay_all(rounds=2 * TIMEOUTS)

    assert world.accounts.faults.counts == {Fault.TIMEOUT_AFTER_COMMIT: TIMEOUTS}
    await _assert_each_is_paid_once(world, referrals)


async def test_pays_each_credit_once_though_the_wallet_goes_away_in_the_burst(
    world: WalletWorld,
) -> None:
    referrals = await _burst(world, 30)
    payer = world.payer()
    await pay(payer)
    world.accounts.faults.is_away = True
    for _ in range(8):
        await world.make_due()
        await pay(payer)
    assert len(await world.accounts.store.all_posted()) == 16
    world.accounts.faults.clear()
    await world.pay_all()

    await _assert_each_is_paid_once(world, referrals)


async def _burst(world: WalletWorld, count: int) -> list[ReferralActs]:
    """Bring referrals to their deposits, in tens; both sides of each are to be paid."""
    async with world.database.transaction() as session:
        terms = world.terms(referee_reward=usd(500))
        offer = await an_offer(session, terms=terms, budget=usd(10_000_000))
    found: list[ReferralActs] = []
    while len(found) < count:
        size = min(10, count - len(found))
        found += await asyncio.gather(*(world.referral(offer=offer) for _ in range(size)))
    return found


async def _assert_each_is_paid_once(world: WalletWorld, referrals: list[ReferralActs]) -> None:
    assert len(await world.accounts.store.all_posted()) == 2 * len(referrals)
    for acts in referrals:
        assert await world.wake(acts) is Stage.REWARDED
        assert await world.accounts.store.balance(acts.row.referrer_id) == 1000
        assert await world.accounts.store.balance(acts.referee_id) == 500
