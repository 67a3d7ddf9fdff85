"""Credits by a wallet: a reward is issued when the wallet has posted it, and not before."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from activities.payments import RECHECK_INTERVAL
from db.tables import OutboxRow
from domain.campaigns.rules import Rules
from domain.campaigns.rules_json import read_rewards
from domain.intake.facts import PlayerStatus
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from domain.rewards.reward import RewardStatus
from domain.wallet.orders import OrderKind, OrderStatus
from referrals.reporting.referral_views import find_referral
from sandbox.sportsbook.accounts.faults import Fault
from sandbox.sportsbook.accounts.store import owner_of
from tests import state
from tests.activities.referral_acts import sign_up
from tests.builders import a_player_id, chargeback, deposit, status_change, usd
from tests.state import Balances
from tests.wallet.world import WalletWorld, pay


async def test_issues_a_reward_only_when_the_wallet_has_posted_it(world: WalletWorld) -> None:
    acts = await world.referral()

    assert (await acts.stored_row()).stage is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.PAYMENT_PENDING}
    assert await acts.referrer_balances() == Balances(held=1000)
    assert await world.accounts.store.balance(acts.row.referrer_id) == 0

    assert await pay(world.payer())
    assert await world.accounts.store.balance(acts.row.referrer_id) == 1000
    assert await state.rewards(world.database, acts.row.id) == {"referrer": RewardStatus.HELD}

    assert await world.wake(acts) is Stage.REWARDED
    assert await acts.referrer_balances() == Balances(available=1000)
    assert await acts.open_hold_reasons() == set()
    assert await state.rewards(world.database, acts.row.id) == {"referrer": RewardStatus.ISSUED}


async def test_a_wallet_keeps_bonus_bets_apart_from_cash(world: WalletWorld) -> None:
    flat = {"flat": {"minor": 700, "currency": "USD"}}
    written = [{"to": "referrer", "kind": kind, "amount": flat} for kind in ("cash", "bonus_bet")]
    rules = Rules(rewards=read_rewards(written, "terms.rewards", currency="USD"))
    acts = await world.referral(terms=world.terms(referrer_reward=usd(0), rules=rules))
    assert await world.settle(acts) is Stage.REWARDED

    player = acts.row.referrer_id
    purses = (player, owner_of(player, "bonus_bet"))
    assert [await world.accounts.store.balance(purse) for purse in purses] == [700, 700]
    assert await world.charge_back(acts) is Stage.REVERSED
    await world.settle(acts)
    assert [await world.accounts.store.balance(purse) for purse in purses] == [0, 0]


async def test_tells_of_the_grant_after_the_posting_and_of_the_qualification_before(
    world: WalletWorld,
) -> None:
    acts = await world.referral()
    before = await _events(world, acts.row.id)
    await world.settle(acts)

    assert before[-2:] == ["ReferralQualified", "RewardHeld"]
    assert await _events(world, acts.row.id) == [*before, "RewardGranted"]


async def test_an_answer_wakes_the_workflow_once(world: WalletWorld) -> None:
    acts = await world.referral()
    (order,) = await world.orders()
    await world.pay_all()

    assert await world.looks(acts.row.id) == [f"payment/{order.id}"]


async def test_looking_again_while_the_payment_is_open_orders_nothing_more(
    world: WalletWorld,
) -> None:
    acts = await world.referral()
    for _ in range(3):
        assert await world.wake(acts) is Stage.HELD

    assert len(await world.orders()) == 1
    assert (await acts.stored_row()).until == world.later(minutes=3) + RECHECK_INTERVAL


async def test_the_hold_period_goes_before_the_payment(world: WalletWorld) -> None:
    terms = world.terms(hold_period=timedelta(days=1))
    acts = await world.referral(terms=terms)
    assert await acts.open_hold_reasons() == {HoldReason.HOLD_PERIOD}
    assert await world.orders() == []

    await acts.wake(at=world.later(days=2))
    assert await acts.open_hold_reasons() == {HoldReason.PAYMENT_PENDING}


async def test_both_sides_are_paid_before_either_is_issued(world: WalletWorld) -> None:
    acts = await world.referral(terms=world.terms(referee_reward=usd(500)))
    world.accounts.faults.inject(Fault.SERVER_ERROR, player_id=acts.referee_id)
    payer = world.payer()
    await pay(payer)
    assert await world.wake(acts) is Stage.HELD

    world.accounts.faults.clear()
    assert await world.settle(acts) is Stage.REWARDED
    assert await world.accounts.store.balance(acts.referee_id) == 500


async def test_a_deposit_taken_back_before_the_order_was_sent_pays_nothing(
    world: WalletWorld,
) -> None:
    acts = await sign_up(world.database, has_wallet=True)
    paid = deposit(acts.referee_id)
    await acts.receives(paid)
    await acts.credit()
    await acts.receives(chargeback(paid))

    assert await world.wake(acts) is Stage.VOIDED
    assert [row.status for row in await world.orders()] == [OrderStatus.CANCELLED]
    await world.pay_all()
    assert await world.accounts.store.balance(acts.row.referrer_id) == 0


async def test_a_deposit_taken_back_while_the_wallet_pays_is_reversed_after_the_credit(
    world: WalletWorld,
) -> None:
    acts = await sign_up(world.database, has_wallet=True)
    paid = deposit(acts.referee_id)
    await acts.receives(paid)
    await acts.credit()
    world.accounts.faults.is_away = True
    await pay(world.payer())
    await acts.receives(chargeback(paid))
    assert await world.wake(acts) is Stage.HELD

    world.accounts.faults.clear()
    assert await world.settle(acts) is Stage.REVERSED
    assert await world.accounts.store.balance(acts.row.referrer_id) == 0
    assert await acts.referrer_balances() == Balances()


@pytest.mark.parametrize("times", [1, 3])
async def test_a_player_excluded_before_the_order_was_sent_is_not_paid(
    world: WalletWorld, times: int
) -> None:
    acts = await world.referral()
    referrer_id = acts.row.referrer_id
    await acts.receives(status_change(referrer_id), player_id=referrer_id)
    for _ in range(times):
        await world.wake(acts)
    assert await acts.open_hold_reasons() == {HoldReason.INELIGIBLE}

    back = status_change(referrer_id, PlayerStatus.RESTORED, at=world.later(days=1))
    await acts.receives(back, player_id=referrer_id)
    await world.wake(acts)
    assert await world.settle(acts) is Stage.REWARDED
    statuses = [row.status for row in await world.orders()]
    assert statuses == [OrderStatus.CANCELLED, OrderStatus.POSTED]


async def test_a_player_excluded_while_the_wallet_pays_was_credited_before(
    world: WalletWorld,
) -> None:
    acts = await world.referral()
    referrer_id = acts.row.referrer_id
    world.accounts.faults.inject(Fault.TIMEOUT_AFTER_COMMIT)
    await pay(world.payer())
    await acts.receives(status_change(referrer_id), player_id=referrer_id)
    assert await world.wake(acts) is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.PAYMENT_PENDING}

    assert await world.settle(acts) is Stage.REWARDED


async def test_orders_of_one_player_are_paid_one_after_another(world: WalletWorld) -> None:
    referrer_id = a_player_id()
    first = await world.referral(referrer_id=referrer_id)
    second = await world.referral(referrer_id=referrer_id)
    payer = world.payer()

    await pay(payer)
    assert [row.status for row in await world.orders()] == [
        OrderStatus.POSTED,
        OrderStatus.PENDING,
    ]
    await pay(payer)
    assert [row.kind for row in await world.orders()] == [OrderKind.REWARD, OrderKind.REWARD]
    assert {await world.wake(first), await world.wake(second)} == {Stage.REWARDED}


async def test_shows_the_pending_payment(world: WalletWorld) -> None:
    acts = await world.referral()
    async with world.database.reading() as session:
        view = await find_referral(session, acts.row.id)
    assert view
    assert [hold.reason for hold in view.holds] == [HoldReason.PAYMENT_PENDING]
    assert view.timeline[-1].reason_code == "payment_pending"


async def _events(world: WalletWorld, referral_id: object) -> list[str]:
    query = select(OutboxRow.type).where(OutboxRow.aggregateid == str(referral_id))
    async with world.database.reading() as session:
        return list(await session.scalars(query.order_by(OutboxRow.seq)))
