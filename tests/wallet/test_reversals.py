"""Reversals by a wallet: owed at once, taken as far as it is there, recovered later."""

from domain.intake.facts import PlayerStatus
from domain.lifecycle.referral import Stage
from domain.wallet.orders import OrderKind, OrderStatus
from tests.builders import a_player_id, status_change
from tests.state import Balances
from tests.wallet.world import WalletWorld, pay


async def test_takes_the_whole_reward_back_where_it_is_there(world: WalletWorld) -> None:
    acts = await world.rewarded()
    assert await world.charge_back(acts) is Stage.REVERSED
    assert await acts.referrer_balances() == Balances(available=1000, owed=-1000)

    await world.pay_all()
    assert await acts.referrer_balances() == Balances()
    assert await world.accounts.store.balance(acts.row.referrer_id) == 0


async def test_takes_as_much_as_is_there_and_the_rest_stays_owed(world: WalletWorld) -> None:
    acts = await world.rewarded()
    await world.accounts.store.bet(acts.row.referrer_id, 700)
    await world.charge_back(acts)
    await world.pay_all()

    assert await acts.referrer_balances() == Balances(available=700, owed=-700)


async def test_a_debit_that_takes_nothing_leaves_all_of_it_owed(world: WalletWorld) -> None:
    acts = await world.rewarded()
    await world.accounts.store.bet(acts.row.referrer_id, 1000)
    await world.charge_back(acts)
    await world.pay_all()

    assert await acts.referrer_balances() == Balances(available=1000, owed=-1000)
    assert [row.posted_minor for row in await world.orders()] == [1000, 0]


async def test_a_later_credit_goes_net_of_what_is_owed(world: WalletWorld) -> None:
    referrer_id = a_player_id()
    acts = await world.rewarded(referrer_id=referrer_id)
    await world.accounts.store.bet(referrer_id, 700)
    await world.charge_back(acts)
    await world.pay_all()

    await world.rewarded(referrer_id=referrer_id)
    assert await world.accounts.store.balance(referrer_id) == 300
    assert await acts.referrer_balances() == Balances(available=1000)


async def test_a_credit_that_the_debt_eats_up_is_issued_without_a_call(world: WalletWorld) -> None:
    referrer_id = a_player_id()
    acts = await world.rewarded(referrer_id=referrer_id)
    await world.accounts.store.bet(referrer_id, 1000)
    await world.charge_back(acts)
    await world.pay_all()

    second = await world.rewarded(referrer_id=referrer_id)
    assert await world.accounts.store.balance(referrer_id) == 0
    order = (await world.orders())[-1]
    assert (order.posted_minor, await world.accounts.store.find(str(order.id))) == (0, None)
    assert await second.referrer_balances() == Balances(available=1000)


async def test_two_credits_do_not_both_recover_the_same_debt(world: WalletWorld) -> None:
    referrer_id = a_player_id()
    acts = await world.rewarded(referrer_id=referrer_id)
    await world.accounts.store.bet(referrer_id, 700)
    await world.charge_back(acts)
    await world.pay_all()

    second = await world.referral(referrer_id=referrer_id)
    third = await world.referral(referrer_id=referrer_id)
    await world.pay_all()
    assert {await world.wake(second), await world.wake(third)} == {Stage.REWARDED}
    assert await world.accounts.store.balance(referrer_id) == 300 + 1000
    assert await acts.referrer_balances() == Balances(available=2000)


async def test_a_credit_ordered_during_an_open_debit_waits_for_what_it_leaves(
    world: WalletWorld,
) -> None:
    referrer_id = a_player_id()
    acts = await world.rewarded(referrer_id=referrer_id)
    await world.accounts.store.bet(referrer_id, 1000)
    world.accounts.faults.is_away = True
    await world.charge_back(acts)
    await pay(world.payer())
    second = await world.referral(referrer_id=referrer_id)
    world.accounts.faults.clear()

    assert await world.settle(second) is Stage.REWARDED
    assert await world.accounts.store.balance(referrer_id) == 0
    assert await acts.referrer_balances() == Balances(available=1000)


async def test_a_won_chargeback_is_credited_again_and_clears_the_debt_first(
    world: WalletWorld,
) -> None:
    acts = await world.rewarded()
    await world.accounts.store.bet(acts.row.referrer_id, 700)
    await world.charge_back(acts)
    await world.pay_all()
    await world.win(acts)
    assert (await acts.stored_row()).stage is Stage.REVERSED

    await world.pay_all()
    assert await world.wake(acts) is Stage.REWARDED
    assert await world.accounts.store.balance(acts.row.referrer_id) == 300
    assert await acts.referrer_balances() == Balances(available=1000)


async def test_the_same_reward_can_be_reversed_and_reinstated_again(world: WalletWorld) -> None:
    acts = await world.rewarded()
    for round_ in range(3):
        assert await world.charge_back(acts, dispute=f"d{round_}") is Stage.REVERSED
        await world.pay_all()
        await world.win(acts, dispute=f"d{round_}")
        await world.pay_all()
        assert await world.wake(acts) is Stage.REWARDED
    assert await world.accounts.store.balance(acts.row.referrer_id) == 1000
    assert {row.kind for row in await world.orders()} == set(OrderKind)


async def test_a_reinstatement_that_is_charged_back_again_before_it_was_sent_is_cancelled(
    world: WalletWorld,
) -> None:
    acts = await world.rewarded()
    await world.charge_back(acts, dispute="one")
    await world.pay_all()
    await world.win(acts, dispute="one")
    await world.charge_back(acts, dispute="two")

    assert (await world.orders())[-1].status is OrderStatus.CANCELLED
    assert (await acts.stored_row()).stage is Stage.REVERSED
    await world.pay_all()
    assert await acts.referrer_balances() == Balances()


async def test_a_reinstatement_of_an_excluded_player_waits(world: WalletWorld) -> None:
    acts = await world.rewarded()
    referrer_id = acts.row.referrer_id
    await world.charge_back(acts)
    await world.pay_all()
    await acts.receives(status_change(referrer_id), player_id=referrer_id)
    await world.win(acts)
    await world.pay_all()
    assert await world.accounts.store.balance(referrer_id) == 0

    back = status_change(referrer_id, PlayerStatus.RESTORED, at=world.later(days=1))
    await acts.receives(back, player_id=referrer_id)
    await world.wake(acts)
    assert await world.settle(acts) is Stage.REWARDED


async def test_a_refused_debit_stays_owed(world: WalletWorld) -> None:
    acts = await world.rewarded()
    await world.accounts.store.refuse_debits(acts.row.referrer_id)
    await world.charge_back(acts)
    await world.pay_all()

    assert await acts.referrer_balances() == Balances(available=1000, owed=-1000)
    assert (await world.orders())[-1].status is OrderStatus.REFUSED


async def test_what_a_reviewer_takes_back_is_debited_once_whatever_the_bank_decides(
    world: WalletWorld,
) -> None:
    acts = await world.rewarded()
    await world.reject(acts)

    assert await world.settle(acts) is Stage.REVERSED
    await world.charge_back(acts)
    assert await world.win(acts) is Stage.REVERSED
    assert await world.settle(acts) is Stage.REVERSED

    assert await acts.referrer_balances() == Balances()
    assert await world.accounts.store.balance(acts.row.referrer_id) == 0
    written = [(row.kind, row.reason) for row in await world.orders()]
    assert written == [
        (OrderKind.REWARD, "qualified"), (OrderKind.REVERSAL, "reviewer_rejected"),
    ]  # fmt: skip


async def test_a_reinstatement_on_its_way_is_taken_back_by_a_rejection(world: WalletWorld) -> None:
    acts = await world.rewarded()
    await world.charge_back(acts)
    await world.pay_all()
    await world.win(acts)
    await world.pay_all()
    await world.reject(acts)

    assert await world.settle(acts) is Stage.REVERSED
    assert await world.settle(acts) is Stage.REVERSED

    assert await acts.referrer_balances() == Balances()
    assert await world.accounts.store.balance(acts.row.referrer_id) == 0
