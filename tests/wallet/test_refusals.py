"""Refusals by a wallet: the reward is held with the reason, and a person decides."""

from domain.campaigns.switches import SwitchState
from domain.intake.facts import Choice
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from domain.wallet.orders import OrderStatus
from referrals.access.audit import Actor
from referrals.campaigns import switches
from referrals.fraud.reviews import ReviewOutcome
from referrals.rewards import holds
from tests.activities.referral_acts import ReferralActs
from tests.builders import usd
from tests.state import Balances
from tests.wallet.world import WalletWorld


async def test_a_refused_credit_is_held_with_the_wallets_reason_for_a_reviewer(
    world: WalletWorld,
) -> None:
    acts = await world.referral()
    await world.accounts.store.close(acts.row.referrer_id)

    assert await world.settle(acts) is Stage.HELD
    async with world.database.reading() as session:
        (hold,) = await holds.open_holds(session, acts.row.id)
    assert (hold.reason, hold.detail) == (HoldReason.PAYMENT_REFUSED, ["account_closed"])
    assert (await acts.latest_review()).reasons == ["payment_refused"]


async def test_an_approval_tries_again_under_a_new_reference(world: WalletWorld) -> None:
    acts = await world.referral()
    await world.accounts.store.close(acts.row.referrer_id)
    await world.settle(acts)
    await world.accounts.store.reopen(acts.row.referrer_id)

    assert await acts.decide(Choice.APPROVE) is ReviewOutcome.DECIDED
    assert await world.wake(acts) is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.PAYMENT_PENDING}
    assert await world.settle(acts) is Stage.REWARDED
    first, second = await world.orders()
    assert first.id != second.id
    assert await world.accounts.store.balance(acts.row.referrer_id) == 1000


async def test_one_approval_is_one_try(world: WalletWorld) -> None:
    acts = await world.referral()
    await world.accounts.store.close(acts.row.referrer_id)
    await world.settle(acts)
    for tries in (2, 3):
        await acts.decide(Choice.APPROVE)
        await world.wake(acts)
        assert await world.settle(acts) is Stage.HELD
        await world.wake(acts)
        assert await acts.open_hold_reasons() == {HoldReason.PAYMENT_REFUSED}
        assert len(await world.orders()) == tries


async def test_a_rejection_ends_it_without_money(world: WalletWorld) -> None:
    acts = await world.referral()
    await world.accounts.store.close(acts.row.referrer_id)
    await world.settle(acts)
    await acts.decide(Choice.REJECT)

    assert await world.wake(acts) is Stage.REJECTED
    assert await acts.referrer_balances() == Balances()


async def test_a_rejection_takes_the_other_sides_credit_back(world: WalletWorld) -> None:
    acts = await world.referral(terms=world.terms(referee_reward=usd(500)))
    await world.accounts.store.close(acts.row.referrer_id)
    await world.settle(acts)
    assert await world.accounts.store.balance(acts.referee_id) == 500
    await acts.decide(Choice.REJECT)

    assert await world.wake(acts) is Stage.REJECTED
    await world.pay_all()
    assert await world.accounts.store.balance(acts.referee_id) == 0
    assert [row.status for row in await world.orders()] == [
        OrderStatus.POSTED,
        OrderStatus.REFUSED,
        OrderStatus.POSTED,
    ]


async def test_an_approved_payment_stays_held_while_its_switch_is_off(world: WalletWorld) -> None:
    acts = await world.referral()
    await world.accounts.store.close(acts.row.referrer_id)
    await world.settle(acts)
    await turn(world, acts, SwitchState.OFF)

    await acts.decide(Choice.APPROVE)
    assert await world.wake(acts) is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.SWITCHED_OFF}
    assert await world.orders(status=OrderStatus.PENDING) == []

    await turn(world, acts, SwitchState.ON)
    assert await world.wake(acts) is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.PAYMENT_PENDING}


async def turn(world: WalletWorld, acts: ReferralActs, state: SwitchState) -> None:
    operator = Actor(name="operator", request_id=None, reason="a test")
    async with world.database.transaction() as session:
        await switches.turn(session, f"campaign:{acts.row.campaign_slug}", state, operator)
