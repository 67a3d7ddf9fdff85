"""Postgres notifications: a connection of its own that LISTENs for ever."""

import asyncio
from collections.abc import Callable
from typing import Final

import asyncpg
import structlog

CHANNEL: Final = "courier"
RECONNECT_S: Final = 0.5
CONNECT_TIMEOUT_S: Final = 5.0
_FAULTS: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

log = structlog.get_logger()


async def listen(url: str, ring: Callable[[str | None], None]) -> None:
    """Call `ring` with the payload of each notification, and with None at each new connection.

    None means that anything may have been notified. Polling covers the time without a connection.
    """
    dsn = url.replace("postgresql+asyncpg://", "postgresql://", 1)
    while True:
        try:
            await _listen_once(dsn, ring)
        except _FAULTS as fault:
            log.debug("listening_stopped", error=type(fault).__name__)
        await asyncio.sleep(RECONNECT_S)


async def _listen_once(dsn: str, ring: Callable[[str | None], None]) -> None:
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    ended = asyncio.Event()
    try:
        connection.add_termination_listener(lambda _: ended.set())
        await connection.add_listener(CHANNEL, lambda *notified: ring(notified[-1]))
        ring(None)
        await ended.wait()
    finally:
        connection.terminate()
