"""Looks into the service's database to see when what was sent has had its effect."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg

LOOK_EVERY_S: Final = 0.003
PATIENCE_S: Final = 90.0
_QUIET: Final = """
    select not exists (select from inbox)
       and not exists (select from deliveries where acknowledged_at is null)
"""
_AT_STAGE: Final = "select count(*) from referrals where campaign_slug = $1 and stage = $2"
_ISSUED: Final = "select player_id from rewards where player_id = any($1) and status = 'ISSUED'"


class Watch:
    """One connection, used by one question at a time."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection
        self._awaited: dict[str, asyncio.Future[None]] = {}

    async def quiet(self) -> None:
        """Everything heard has been routed, and carried to its workflow."""
        await until(lambda: self._connection.fetchval(_QUIET), "the courier to be done")

    async def stage(self, campaign: str, stage: str, *, count: int) -> None:
        async def reached() -> bool:
            there: int = await self._connection.fetchval(_AT_STAGE, campaign, stage)
            return there >= count

        await until(reached, f"{count} referrals of {campaign} to be {stage}")

    async def issued(self, player_id: str) -> None:
        """The referrer's reward was credited; `look` has to be running."""
        self._awaited[player_id] = asyncio.get_running_loop().create_future()
        await asyncio.wait_for(self._awaited[player_id], PATIENCE_S)

    async def look(self) -> None:
        """Look for the awaited rewards until cancelled."""
        while True:
            if self._awaited:
                for row in await self._connection.fetch(_ISSUED, list(self._awaited)):
                    self._awaited.pop(row["player_id"]).set_result(None)
            await asyncio.sleep(LOOK_EVERY_S)


async def until(reached: Callable[[], Awaitable[bool]], what: str) -> None:
    """TimeoutError when it takes too long."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not await reached():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"waited {PATIENCE_S:g} s for {what}")
        await asyncio.sleep(0.02)
