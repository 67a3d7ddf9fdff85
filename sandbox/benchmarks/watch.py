"""Looks into the service's database to see when what was sent has had its effect."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from uuid import UUID

import asyncpg

LOOK_EVERY_S: Final = 0.003
PATIENCE_S: Final = 90.0
_QUIET: Final = """
    select not exists (select from inbox)
       and not exists (select from deliveries where acknowledged_at is null)
"""
_AT_STAGE: Final = "select count(*) from referrals where id = any($1) and stage = $2"
_ISSUED: Final = "select referral_id from rewards where referral_id = any($1) and status = 'ISSUED'"


class Watch:
    """One connection, used by one question at a time."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection
        self._awaited: dict[UUID, asyncio.Future[None]] = {}

    async def quiet(self) -> None:
        """Everything heard has been routed, and carried to its workflow."""
        await until(lambda: self._connection.fetchval(_QUIET), "the courier to be done")

    async def wait_until_all_at(self, stage: str, referrals: Iterable[str]) -> None:
        ids = list(referrals)

        async def reached() -> bool:
            return bool(await self._connection.fetchval(_AT_STAGE, ids, stage) == len(ids))

        await until(reached, f"{len(ids)} referrals to be {stage}")

    async def issued(self, referral_id: str) -> None:
        """Its reward was credited; `look` has to be running."""
        credited = asyncio.get_running_loop().create_future()
        self._awaited[UUID(referral_id)] = credited
        await asyncio.wait_for(credited, PATIENCE_S)

    async def look(self) -> None:
        """Look for the awaited rewards until cancelled."""
        while True:
            if self._awaited:
                for row in await self._connection.fetch(_ISSUED, list(self._awaited)):
                    self._awaited.pop(UUID(str(row["referral_id"]))).set_result(None)
            await asyncio.sleep(LOOK_EVERY_S)


async def until(
    reached: Callable[[], Awaitable[bool]], what: str, *, every_s: float = 0.02
) -> None:
    """TimeoutError when it takes too long."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not await reached():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"waited {PATIENCE_S:g} s for {what}")
        await asyncio.sleep(every_s)
