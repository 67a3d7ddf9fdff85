"""Random lives of one referrer's rewards: whatever happens in which order, here and there agree."""

import random
from dataclasses import dataclass, field

import pytest

from domain.intake.facts import Choice
from domain.lifecycle.referral import Stage
from referrals.fraud import reviews
from referrals.wallet.reconciliation import reconcile
from sandbox.sportsbook.accounts.faults import Fault
from tests.activities.referral_acts import ReferralActs
from tests.builders import a_player_id
from tests.wallet.world import WalletWorld, pay

STEPS = 40
FAULTS = [fault for fault in Fault if fault is not Fault.SLOW]


@dataclass
class Lives:
    """One referrer with several referrals, whose deposits are disputed, lost and won."""

    world: WalletWorld
    chance: random.Random
    referrer_id: str = field(default_factory=a_player_id)
    referrals: list[ReferralActs] = field(default_factory=list)
    disputes: dict[int, list[str]] = field(default_factory=dict)
    bet_minor: int = 0
    is_closed: bool = False

    async def step(self) -> None:
        acts = self.chance.choices(
            [
                self.begin,
                self.dispute,
                self.win,
                self.bet,
                self.pay,
                self.look,
                self.break_down,
                self.close_or_reopen,
                self.approve,
            ],
            weights=[3, 4, 3, 2, 6, 6, 3, 2, 3],
        )[0]
        await acts()

    async def begin(self) -> None:
        if len(self.referrals) < 5:
            self.referrals.append(await self.world.referral(referrer_id=self.referrer_id))

    async def dispute(self) -> None:
        number = self._any()
        if number is not None:
            name = f"d{len(self.disputes.get(number, []))}"
            self.disputes.setdefault(number, []).append(name)
            await self.world.charge_back(self.referrals[number], dispute=name)

    async def win(self) -> None:
        number = self._any()
        if number is not None and self.disputes.get(number):
            name = self.chance.choice(self.disputes[number])
            await self.world.win(self.referrals[number], dispute=name)

    async def bet(self) -> None:
        there = await self.world.accounts.store.balance(self.referrer_id)
        if there:
            minor = self.chance.randint(1, there)
            await self.world.accounts.store.bet(self.referrer_id, minor)
            self.bet_minor += minor

    async def pay(self) -> None:
        await self.world.make_due()
        await pay(self.world.payer())

    async def look(self) -> None:
        number = self._any()
        if number is not None:
            await self.world.wake(self.referrals[number])

    async def break_down(self) -> None:
        self.world.accounts.faults.inject(self.chance.choice(FAULTS), times=1)

    async def close_or_reopen(self) -> None:
        store = self.world.accounts.store
        self.is_closed = not self.is_closed
        await (store.close if self.is_closed else store.reopen)(self.referrer_id)

    async def approve(self) -> None:
        number = self._any()
        if number is not None:
            await self._approve(self.referrals[number])

    async def _approve(self, acts: ReferralActs) -> None:
        async with self.world.database.reading() as session:
            review = await reviews.find_review(session, acts.row.id)
        if review is not None and review.status == reviews.OPEN:
            await acts.decide(Choice.APPROVE, at=self.world.later(minutes=self.world.minutes))
            await self.world.wake(acts)

    async def come_to_rest(self) -> None:
        """Answer everything and let every referral act on it, until nothing is left to say."""
        self.world.accounts.faults.clear()
        await self.world.accounts.store.reopen(self.referrer_id)
        for _ in range(5):
            await self.world.pay_all()
            for acts in self.referrals:
                await self.world.wake(acts)
                await self._approve(acts)

    def _any(self) -> int | None:
        return self.chance.randrange(len(self.referrals)) if self.referrals else None


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(4))
async def test_wallet_and_ledger_agree_after_any_life(world: WalletWorld, seed: int) -> None:
    lives = Lives(world, random.Random(seed))  # noqa: S311 - a test that can be repeated
    for _ in range(STEPS):
        await lives.step()
    await lives.come_to_rest()

    found = await reconcile(world.database, world.wallet())
    assert (found.differences, found.in_flight) == ((), 0)
    there = await world.accounts.store.balance(lives.referrer_id)
    balances = await lives.referrals[0].referrer_balances()
    assert balances.available == there + lives.bet_minor
    credited = [await _is_credited(acts) for acts in lives.referrals]
    assert balances.available + balances.owed == 1000 * sum(credited)


async def _is_credited(acts: ReferralActs) -> bool:
    return (await acts.stored_row()).stage in {Stage.REWARDED, Stage.SETTLED}
