"""Polling of the service's database for the effects of the traffic that was sent."""

import asyncio
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import asyncpg

from sandbox.sportsbook.polling import wait_until

REWARD_POLL_INTERVAL_S: Final = 0.003
"""Short beside the latency that it measures, which it adds to."""
POLL_INTERVAL_S: Final = 0.05
WAIT_TIMEOUT_S: Final = 90.0
_IS_IDLE: Final = """
    select not exists (select from inbox)
       and not exists (select from deliveries where acknowledged_at is null)
"""
_COUNT_AT_STAGE: Final = "select count(*) from referrals where id = any($1) and stage = $2"
_ISSUED: Final = "select referral_id from rewards where referral_id = any($1) and status = 'ISSUED'"


class DatabaseWatcher:
    """Queries over one connection, which must not be awaited at the same time."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection
        self._awaited: dict[UUID, asyncio.Future[None]] = {}

    async def wait_until_idle(self) -> None:
        """Wait until every recorded fact is routed and delivered to its workflow."""
        await wait_until(
            lambda: self._connection.fetchval(_IS_IDLE),
            bool,
            what="an idle courier",
            within_s=WAIT_TIMEOUT_S,
            every_s=POLL_INTERVAL_S,
        )

    async def wait_until_all_at(self, stage: str, referrals: Iterable[str]) -> None:
        ids = list(referrals)
        await wait_until(
            lambda: self._connection.fetchval(_COUNT_AT_STAGE, ids, stage),
            lambda count: count == len(ids),
            what=f"{len(ids)} referrals that are {stage}",
            within_s=WAIT_TIMEOUT_S,
            every_s=POLL_INTERVAL_S,
        )

    async def wait_until_credited(self, referral_id: str) -> None:
        """Wait until the referral's reward is ISSUED; `poll_rewards` must be running."""
        credited = asyncio.get_running_loop().create_future()
        self._awaited[UUID(referral_id)] = credited
        async with asyncio.timeout(WAIT_TIMEOUT_S):
            await credited

    async def poll_rewards(self) -> None:
        """Poll for the awaited rewards until cancelled."""
        while True:
            if self._awaited:
                for row in await self._connection.fetch(_ISSUED, list(self._awaited)):
                    self._awaited.pop(UUID(str(row["referral_id"]))).set_result(None)
            await asyncio.sleep(REWARD_POLL_INTERVAL_S)
