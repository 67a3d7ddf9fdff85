"""What wakes the courier: a notification from Postgres, or the clock where one was missed."""

import asyncio
from collections.abc import Callable
from typing import Final

import asyncpg
import structlog

CHANNEL: Final = "courier"
POLL_S: Final = 0.5
CONNECT_TIMEOUT_S: Final = 5.0
_AWAY: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

log = structlog.get_logger()


class Alarm:
    """Rings once, however often it was rung since somebody last answered."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    def answer(self) -> None:
        self._rung.clear()

    async def rings(self, *, within_s: float) -> None:
        try:
            await asyncio.wait_for(self._rung.wait(), within_s)
        except TimeoutError:
            return


async def listen(url: str, ring: Callable[[str | None], None]) -> None:
    """Ring for ever with what each notification says; None, with a new connection, means anything.

    Polling covers the time without a connection.
    """
    dsn = url.replace("postgresql+asyncpg://", "postgresql://", 1)
    while True:
        try:
            await _listen_once(dsn, ring)
        except _AWAY as fault:
            log.debug("listening_stopped", error=type(fault).__name__)
        await asyncio.sleep(POLL_S)


async def _listen_once(dsn: str, ring: Callable[[str | None], None]) -> None:
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    ended = asyncio.Event()
    try:
        connection.add_termination_listener(lambda _: ended.set())
        await connection.add_listener(CHANNEL, lambda *told: ring(told[-1]))
        ring(None)
        await ended.wait()
    finally:
        connection.terminate()
