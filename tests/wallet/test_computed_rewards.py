"""Percentages and tiers where a wallet holds the balances: ordered, and adjusted by orders."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from db.engine import Database
from domain.campaigns.terms import Terms
from domain.intake.facts import Chargeback, Choice, Deposit, PlayerStatus, TakeBack
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from domain.rewards.reward import RewardStatus
from domain.wallet.orders import OrderKind, OrderStatus
from tests import state
from tests.activities.campaigns.ruled import acknowledge
from tests.activities.campaigns.test_computed import money, paying, percent, rewards_of
from tests.activities.referral_acts import ReferralActs, sign_up
from tests.builders import chargeback, deposit, status_change, usd
from tests.state import Balances, violated_invariants
from tests.wallet.world import WalletWorld, pay

TENTH: Final = paying(referrer=percent("10"))
DAY: Final = timedelta(days=1)


@pytest.fixture(autouse=True)
async def _delivered(
    world: WalletWorld,  # noqa: ARG001 - it must end after this
    fresh_superuser: Database,
) -> AsyncIterator[None]:
    """Let all deliveries count as made, so that `world` verifies what is due after the test."""
    yield
    await acknowledge(fresh_superuser)


async def deposits(
    world: WalletWorld, terms: Terms = TENTH, *, minor: int = 10_000
) -> tuple[ReferralActs, Deposit]:
    acts = await sign_up(world.database, terms=terms, has_wallet=True)
    paid = deposit(acts.referee_id, minor=minor)
    await acts.receives(paid)
    await acts.credit()
    return acts, paid


def refund(paid: Deposit, minor: int, name: str = "refund-1") -> Chargeback:
    return chargeback(paid, TakeBack.REFUND, amount=usd(minor), dispute_id=name)


def refund_failed(paid: Deposit, minor: int, name: str = "refund-1") -> Chargeback:
    return chargeback(paid, TakeBack.REFUND_FAILED, amount=usd(minor), dispute_id=name)


async def receives(world: WalletWorld, acts: ReferralActs, *facts: Chargeback) -> Stage:
    await acts.receives(*facts)
    return await world.wake(acts)


async def there(world: WalletWorld, acts: ReferralActs) -> int:
    return await world.accounts.store.balance(acts.row.referrer_id)


async def asked(world: WalletWorld) -> list[tuple[OrderKind, int]]:
    return [(row.kind, row.gross_minor) for row in await world.orders()]


async def test_a_partial_refund_is_debited_and_one_that_failed_is_credited_again(
    world: WalletWorld,
) -> None:
    acts, paid = await deposits(world)
    assert await world.settle(acts) is Stage.REWARDED
    assert await there(world, acts) == 1000

    assert await receives(world, acts, refund(paid, 4000)) is Stage.REWARDED
    assert await rewards_of(acts) == {"referrer": (600, RewardStatus.ISSUED)}
    assert await world.settle(acts) is Stage.REWARDED
    assert await there(world, acts) == 600
    assert await acts.referrer_balances() == Balances(available=600)

    assert await receives(world, acts, refund_failed(paid, 4000)) is Stage.REWARDED
    assert await acts.open_hold_reasons() == {HoldReason.PAYMENT_PENDING}
    assert await world.settle(acts) is Stage.REWARDED
    assert await acts.open_hold_reasons() == set()
    assert await there(world, acts) == 1000
    assert await rewards_of(acts) == {"referrer": (1000, RewardStatus.ISSUED)}
    assert await asked(world) == [
        (OrderKind.REWARD, 1000), (OrderKind.REVERSAL, 400), (OrderKind.REINSTATEMENT, 400),
    ]  # fmt: skip


async def test_what_is_refunded_before_the_order_is_not_asked_for(world: WalletWorld) -> None:
    acts, paid = await deposits(world, replace(TENTH, hold_period=DAY))
    assert await receives(world, acts, refund(paid, 3333)) is Stage.HELD
    await acts.wake(at=world.later(days=2))
    before = await state.budget(world.database, acts.row.campaign_id)
    await world.pay_all()

    assert await acts.wake(at=world.later(days=2)) is Stage.REWARDED
    assert await there(world, acts) == 666
    assert await acts.referrer_balances() == Balances(available=666)
    assert await state.budget(world.database, acts.row.campaign_id) == before + 334
    assert await asked(world) == [(OrderKind.REWARD, 666)]


async def test_what_is_refunded_while_the_wallet_does_not_answer_is_debited_afterwards(
    world: WalletWorld,
) -> None:
    acts, paid = await deposits(world)
    world.accounts.faults.is_away = True
    await pay(world.payer())
    assert await receives(world, acts, refund(paid, 5000)) is Stage.HELD
    world.accounts.faults.clear()

    assert await world.settle(acts) is Stage.REWARDED
    assert await there(world, acts) == 500
    assert await acts.referrer_balances() == Balances(available=500)


async def test_what_was_bet_of_a_lowered_reward_stays_owed(world: WalletWorld) -> None:
    acts, paid = await deposits(world)
    await world.settle(acts)
    await world.accounts.store.bet(acts.row.referrer_id, 900)
    await receives(world, acts, refund(paid, 4000))
    await world.settle(acts)

    assert await acts.referrer_balances() == Balances(available=900, owed=-300)
    await receives(world, acts, refund_failed(paid, 4000))
    await world.settle(acts)
    assert await acts.referrer_balances() == Balances(available=1000)
    assert await there(world, acts) == 100


async def test_a_rise_that_is_refunded_again_before_it_was_sent_is_cancelled(
    world: WalletWorld,
) -> None:
    acts, paid = await deposits(world)
    await world.settle(acts)
    await receives(world, acts, refund(paid, 4000))
    await world.settle(acts)
    await receives(world, acts, refund_failed(paid, 4000))
    await receives(world, acts, refund(paid, 2000, "refund-2"))

    statuses = [row.status for row in await world.orders()]
    assert statuses[2:] == [OrderStatus.CANCELLED, OrderStatus.PENDING]
    await world.settle(acts)
    assert await there(world, acts) == 800
    assert await acts.referrer_balances() == Balances(available=800)


async def test_what_a_rise_on_its_way_no_longer_covers_is_debited_afterwards(
    world: WalletWorld,
) -> None:
    acts, paid = await deposits(world)
    await world.settle(acts)
    await receives(world, acts, refund(paid, 4000))
    await world.settle(acts)
    await receives(world, acts, refund_failed(paid, 4000))
    world.accounts.faults.is_away = True
    await pay(world.payer())
    await receives(world, acts, chargeback(paid))
    assert (await acts.stored_row()).stage is Stage.REWARDED
    world.accounts.faults.clear()

    assert await world.settle(acts) is Stage.REVERSED
    assert await there(world, acts) == 0
    assert await acts.referrer_balances() == Balances()


async def test_a_won_chargeback_reinstates_what_is_due_by_then(world: WalletWorld) -> None:
    acts, paid = await deposits(world)
    await world.settle(acts)
    assert await receives(world, acts, chargeback(paid, dispute_id="bank")) is Stage.REVERSED
    await world.settle(acts)
    won = chargeback(paid, TakeBack.CHARGEBACK_WON, dispute_id="bank")
    await receives(world, acts, refund(paid, 2500), won)

    assert await world.settle(acts) is Stage.REWARDED
    assert await there(world, acts) == 750
    assert await rewards_of(acts) == {"referrer": (750, RewardStatus.ISSUED)}


async def test_a_side_of_which_nothing_is_left_is_credited_without_a_call(
    world: WalletWorld,
) -> None:
    terms = paying(referrer=percent("0.05"), referee={"flat": money(700)})
    acts, paid = await deposits(world, replace(terms, hold_period=DAY))
    await receives(world, acts, refund(paid, 8500))
    await acts.wake(at=world.later(days=2))
    await world.pay_all()

    assert await acts.wake(at=world.later(days=2)) is Stage.REWARDED
    assert await rewards_of(acts) == {
        "referrer": (0, RewardStatus.ISSUED), "referee": (700, RewardStatus.ISSUED),
    }  # fmt: skip
    assert await there(world, acts) == 0
    assert await receives(world, acts, chargeback(paid, amount=usd(1000))) is Stage.REVERSED
    assert await world.settle(acts) is Stage.REVERSED
    won = chargeback(paid, TakeBack.CHARGEBACK_WON, amount=usd(1000))
    await receives(world, acts, won, refund_failed(paid, 8500))
    assert await world.settle(acts) is Stage.REWARDED
    assert (await there(world, acts), await world.accounts.store.balance(acts.referee_id)) == (
        5, 700,
    )  # fmt: skip


async def test_a_rise_that_the_wallet_refuses_is_asked_of_a_reviewer(world: WalletWorld) -> None:
    acts, paid = await deposits(world)
    await world.settle(acts)
    await receives(world, acts, refund(paid, 4000))
    await world.settle(acts)
    await world.accounts.store.close(acts.row.referrer_id)
    await receives(world, acts, refund_failed(paid, 4000))
    assert await world.settle(acts) is Stage.REWARDED
    assert await acts.open_hold_reasons() == {HoldReason.PAYMENT_REFUSED}
    assert await violated_invariants(world.database) == {}
    assert (await acts.latest_review()).reasons == ["payment_refused"]

    await world.accounts.store.reopen(acts.row.referrer_id)
    await acts.decide(Choice.APPROVE)
    await world.wake(acts)
    assert await world.settle(acts) is Stage.REWARDED
    assert await acts.open_hold_reasons() == set()
    assert await there(world, acts) == 1000


async def test_a_rise_waits_while_the_player_is_excluded(world: WalletWorld) -> None:
    acts, paid = await deposits(world)
    await world.settle(acts)
    await receives(world, acts, refund(paid, 4000))
    await world.settle(acts)
    referrer_id = acts.row.referrer_id
    await acts.receives(status_change(referrer_id), player_id=referrer_id)
    await receives(world, acts, refund_failed(paid, 4000))
    assert await acts.open_hold_reasons() == {HoldReason.INELIGIBLE}
    assert await violated_invariants(world.database) == {}
    await world.settle(acts)
    assert await there(world, acts) == 600

    back = status_change(referrer_id, PlayerStatus.RESTORED, at=world.later(days=1))
    await acts.receives(back, player_id=referrer_id)
    await world.wake(acts)
    assert await world.settle(acts) is Stage.REWARDED
    assert await there(world, acts) == 1000


@pytest.mark.parametrize(
    ("amount", "minor", "expected"),
    [
        (percent("10", least=700, most=5000), 5000, 700),
        (percent("12.5"), 1007, 125),
        ({"by_jurisdiction": {"US-NJ": percent("1")}}, 25_099, 250),
    ],
)
async def test_the_wallet_credits_what_the_terms_compute(
    world: WalletWorld, amount: Mapping[str, Any], minor: int, expected: int
) -> None:
    acts, _ = await deposits(world, paying(referrer=amount), minor=minor)
    assert await world.settle(acts) is Stage.REWARDED
    assert await there(world, acts) == expected
