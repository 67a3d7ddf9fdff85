"""Postgres notifications: the channel, its payloads, and a connection that listens to it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import asyncpg
import structlog

from db.address import DatabaseAddress
from db.connecting import connect
from db.faults import describe

CHANNEL: Final = "courier"
FACTS: Final = "facts"
"""Payload: facts wait in the inbox. Release 0.2 tells of them as of updates: while it runs beside
this one, what one's doors record waits for a poll of the other's courier."""
UPDATES: Final = ""
"""Payload: deliveries other than invitations are due."""
INVITATIONS: Final = "invitation"
"""Payload: an invitation waits for its workflow to be started."""
VERIFICATION: Final = "verification"
"""Payload: somebody wants to know now whether every invariant holds."""
PAYMENTS: Final = "payments"
"""Payload: payment orders wait to be sent to the wallet."""

RECONNECT_DELAY_S: Final = 0.5
HEARTBEAT_S: Final = 5.0
"""Seconds between two questions to the server, by which a dead connection is noticed."""
ANSWER_TIMEOUT_S: Final = 5.0
_FAULTS: Final = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

log = structlog.get_logger()


async def listen(url: str, on_notification: Callable[[str | None], None]) -> None:
    """Call back with the payload of each notification, and with None at each new connection.

    None means that any notification may have been missed. Callers poll while there is no
    connection. Runs until it is cancelled.
    """
    address = DatabaseAddress.parse(url)
    failures = 0

    def on_notified(payload: str | None) -> None:
        nonlocal failures
        failures = 0
        on_notification(payload)

    while True:
        try:
            await _listen_once(address, on_notified)
        except _FAULTS as fault:
            failures += 1
            if failures == 1:
                log.warning("listening_stopped", error=describe(fault))
        await asyncio.sleep(RECONNECT_DELAY_S)


async def _listen_once(
    address: DatabaseAddress, on_notification: Callable[[str | None], None]
) -> None:
    connection = await connect(address, settings={}, command_timeout_s=ANSWER_TIMEOUT_S)
    ended = asyncio.Event()
    try:
        connection.add_termination_listener(lambda _: ended.set())
        # The payload is the last argument of a listener.
        await connection.add_listener(CHANNEL, lambda *arguments: on_notification(arguments[-1]))
        on_notification(None)
        while not ended.is_set():
            await connection.execute("select 1")
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    await ended.wait()
    finally:
        connection.terminate()
