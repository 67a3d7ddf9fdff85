"""Postgres notifications: the channel, its payloads, and a connection that listens to it."""

import asyncio
from collections.abc import Callable
from typing import Final

import asyncpg
import structlog

CHANNEL: Final = "courier"
FACTS_OR_UPDATES: Final = ""
"""Payload: facts wait in the inbox, or deliveries other than invitations are due."""
INVITATIONS: Final = "invitation"
"""Payload: an invitation waits for its workflow to be started."""
VERIFICATION: Final = "verification"
"""Payload: somebody wants to know now whether every invariant holds."""
PAYMENTS: Final = "payments"
"""Payload: payment orders wait to be sent to the wallet."""

RECONNECT_DELAY_S: Final = 0.5
CONNECT_TIMEOUT_S: Final = 5.0
_FAULTS: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

log = structlog.get_logger()


async def listen(url: str, on_notification: Callable[[str | None], None]) -> None:
    """Call back with the payload of each notification, and with None at each new connection.

    None means that any notification may have been missed. Callers poll while there is no
    connection. Runs until it is cancelled.
    """
    dsn = url.replace("postgresql+asyncpg://", "postgresql://", 1)
    while True:
        try:
            await _listen_once(dsn, on_notification)
        except _FAULTS as fault:
            log.debug("listening_stopped", error=type(fault).__name__)
        await asyncio.sleep(RECONNECT_DELAY_S)


async def _listen_once(dsn: str, on_notification: Callable[[str | None], None]) -> None:
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    ended = asyncio.Event()
    try:
        connection.add_termination_listener(lambda _: ended.set())
        # The payload is the last argument of a listener.
        await connection.add_listener(CHANNEL, lambda *arguments: on_notification(arguments[-1]))
        on_notification(None)
        await ended.wait()
    finally:
        connection.terminate()
