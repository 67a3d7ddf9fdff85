"""Computed rewards that come to more than what was first asked of the wallet."""

import pytest

from domain.lifecycle.referral import Stage
from domain.rewards.reward import RewardStatus
from tests import state
from tests.activities.campaigns.test_computed import money, paying, rewards_of
from tests.activities.referral_acts import sign_up
from tests.builders import a_player_id, deposit
from tests.state import violated_invariants
from tests.wallet.test_computed_rewards import TENTH, receives, refund, refund_failed, there
from tests.wallet.world import WalletWorld


@pytest.mark.parametrize("higher", [900, 1500])
async def test_tiers_count_what_the_wallet_was_asked_for(world: WalletWorld, higher: int) -> None:
    tiers = [{"from": 1, "flat": money(500)}, {"from": 2, "flat": money(higher)}]
    terms, referrer_id = paying(referrer={"tiers": tiers}), a_player_id()
    first = await world.referral(referrer_id=referrer_id, terms=terms)
    async with world.database.reading() as session:
        offer = await state.offer_of(session, first.row)
    second = await world.referral(referrer_id=referrer_id, offer=offer)
    await world.pay_all()

    assert {await world.wake(second), await world.wake(first)} == {Stage.REWARDED}
    # The second was reserved as the first of its referrer, and rises by an order of its own.
    assert await violated_invariants(world.database) == {}
    await world.settle(second)
    await world.settle(second)
    assert await rewards_of(first) == {"referrer": (500, RewardStatus.ISSUED)}
    assert await rewards_of(second) == {"referrer": (higher, RewardStatus.ISSUED)}
    assert await there(world, first) == 500 + higher
    assert await violated_invariants(world.database) == {}


async def test_what_was_written_after_a_refund_rises_to_the_whole(world: WalletWorld) -> None:
    acts = await sign_up(world.database, terms=TENTH, has_wallet=True)
    paid = deposit(acts.referee_id, minor=10_000)
    await acts.receives(paid)
    await acts.receives(refund(paid, 8000))
    await acts.credit()
    await world.settle(acts)
    assert await there(world, acts) == 200

    await receives(world, acts, refund_failed(paid, 8000))
    assert await violated_invariants(world.database) == {}
    await world.settle(acts)
    assert await there(world, acts) == 1000
    await receives(world, acts, refund(paid, 8000, "again"))
    await world.settle(acts)
    assert await there(world, acts) == 200
    assert await violated_invariants(world.database) == {}
