"""Lives of referrals that callers report through every fault, and what must have become of them."""

import asyncio
import os
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text

from db.engine import Database
from referrals.verification.verify import verify_database
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import Pair, create_invited_pair
from sandbox.sportsbook.requests import deposit

CONVERGED_S: Final = float(os.environ.get("REFERRALS_TEST_CONVERGED_S", "90"))
"""Seconds in which everything has converged after a fault: 30 on a machine that does nothing else,
as REFERRALS_TEST_CONVERGED_S=30 checks."""
REWARD_MINOR: Final = 1000
SPENT_MINOR: Final = 400
_COUNTS: Final = text("""
    select (select count(*) from facts) as facts, (select count(*) from referrals) as referrals,
           (select count(*) from rewards where status = 'ISSUED') as issued
""")


@dataclass(slots=True)
class Lives:
    """Lives from a click to a reward that is spent in part."""

    sportsbook: SportsbookClient
    begun: list[Pair] = field(default_factory=list)

    async def begin(self, count: int) -> None:
        """Report `count` signups and deposits at the same time, each until it is accepted."""
        self.begun += await asyncio.gather(*(self._begin_one() for _ in range(count)))

    async def _begin_one(self) -> Pair:
        pair = await create_invited_pair(self.sportsbook)
        await self.sportsbook.send(pair.signup())
        await self.sportsbook.send(deposit(pair.referee_id))
        return pair

    async def converge(self) -> None:
        """Wait until every life is rewarded, all within CONVERGED_S."""
        await asyncio.gather(
            *(
                self.sportsbook.wait_for_stage(pair.referral_id, "REWARDED", within_s=CONVERGED_S)
                for pair in self.begun
            )
        )

    async def spend(self) -> None:
        for pair in self.begun:
            await self.sportsbook.spend(pair.referrer_id, SPENT_MINOR)

    async def assert_one_effect_each(self, database: Database, *, spent_minor: int = 0) -> None:
        """Compare what is stored with what was reported, and check every invariant."""
        async with database.reading() as session:
            counts = (await session.execute(_COUNTS)).one()
        lives = len(self.begun)
        assert counts._asdict() == {"facts": 2 * lives, "referrals": lives, "issued": lives}
        for pair in self.begun:
            balance = await self.sportsbook.balance(pair.referrer_id)
            assert balance.minor("available") == REWARD_MINOR - spent_minor
        report = await verify_database(database)
        assert {check.name: check.failures for check in report.checks if not check.ok} == {}
