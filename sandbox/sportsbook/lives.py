"""Lives of many players, played through the sportsbook's services, and where each must end."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import Pair, create_invited_pair
from sandbox.sportsbook.services.running import Services
from sandbox.sportsbook.services.signup import NewPlayer

CONVERGED_WITHIN_S: Final = 120.0
REWARD_MINOR: Final = 1000
"""Reward of the campaign `default`, in cents."""
REFUND_MINOR: Final = 500
DEPOSIT_MINOR: Final = 2000


class Course(StrEnum):
    """A course of a life after the signup."""

    DEPOSITS = "deposits"
    ONLY_AUTHORISES = "only authorises"
    IS_CHARGED_BACK = "is charged back"
    WINS_THE_DISPUTE = "wins the dispute"
    IS_REFUNDED_IN_PART = "is refunded in part"


WEIGHTS: Final = {
    Course.DEPOSITS: 6,
    Course.ONLY_AUTHORISES: 1,
    Course.IS_CHARGED_BACK: 2,
    Course.WINS_THE_DISPUTE: 1,
    Course.IS_REFUNDED_IN_PART: 1,
}
"""Frequency of each course."""
ENDS: Final = {
    Course.DEPOSITS: ("REWARDED", REWARD_MINOR),
    Course.ONLY_AUTHORISES: ("SIGNED_UP", 0),
    Course.IS_CHARGED_BACK: ("REVERSED", 0),
    Course.WINS_THE_DISPUTE: ("REWARDED", REWARD_MINOR),
    Course.IS_REFUNDED_IN_PART: ("REWARDED", REWARD_MINOR),
}
"""Stage in which a course ends, and what the referrer then has, in cents."""


@dataclass(frozen=True, slots=True)
class Life:
    pair: Pair
    course: Course


@dataclass(slots=True)
class Lives:
    """Lives that are played at the same time, over HTTP as far as the web goes, then over Kafka."""

    sportsbook: SportsbookClient
    services: Services
    seed: int = 1
    begun: list[Life] = field(default_factory=list)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - it chooses courses, not secrets

    async def play(self, *, players: int, concurrency: int) -> None:
        """Play so many lives, `concurrency` at a time, until their last event is committed."""
        slots = asyncio.Semaphore(concurrency)

        async def play_one() -> None:
            async with slots:
                await self.play_one()

        await asyncio.gather(*(play_one() for _ in range(players)))

    async def play_until(self, should_stop: Callable[[], bool]) -> None:
        """Play one life after the other."""
        while not should_stop():
            await self.play_one()

    async def play_one(self) -> None:
        (course,) = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))
        pair = await create_invited_pair(self.sportsbook)
        self.begun.append(Life(pair, course))
        token = pair.invitation.referral_token
        await self.services.signup.sign_up(
            NewPlayer(player_id=pair.referee_id, referral_token=token)
        )
        await self._pay(pair, course)

    async def wait_until_ended(self, *, within_s: float = CONVERGED_WITHIN_S) -> list[str]:
        """Wait until each life is at its end; return those whose money is not as it should be."""
        await self.services.wait_until_published(within_s=within_s)
        wrong = []
        for life in self.begun:
            stage, minor = ENDS[life.course]
            await self.sportsbook.wait_for_stage(life.pair.referral_id, stage, within_s=within_s)
            balance = await self.sportsbook.balance(life.pair.referrer_id)
            if balance.minor("available") != minor:
                wrong.append(f"{life.pair.referrer_id} ({life.course}): {balance}")
        return wrong

    async def _pay(self, pair: Pair, course: Course) -> None:
        payments = self.services.payments
        card_id = await payments.add_card(pair.referee_id)
        deposit_id = await payments.authorise(card_id, DEPOSIT_MINOR)
        if course is Course.ONLY_AUTHORISES:
            return
        await payments.settle(deposit_id)
        if course is Course.DEPOSITS:
            return
        # In life it takes days until money is taken back: here, until the reward is credited.
        await self.sportsbook.wait_for_stage(
            pair.referral_id, "REWARDED", within_s=CONVERGED_WITHIN_S
        )
        if course is Course.IS_REFUNDED_IN_PART:
            await payments.refund(deposit_id, REFUND_MINOR, refund_id=f"refund-of-{deposit_id}")
            return
        dispute_id = await payments.charge_back(deposit_id)
        if course is Course.WINS_THE_DISPUTE:
            await payments.win(dispute_id)
