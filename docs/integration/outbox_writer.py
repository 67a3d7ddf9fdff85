"""Writes events to `referral_outbox`, in the transaction that they describe."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

INSERT_EVENT: Final = """
    INSERT INTO referral_outbox (door, event_id, player_id, body) VALUES ($1, $2, $3, $4)
    ON CONFLICT (door, event_id) DO NOTHING
"""


class Connection(Protocol):
    """An asyncpg connection inside a transaction."""

    async def execute(self, query: str, /, *args: object) -> object: ...


async def write_event(connection: Connection, door: str, body: Mapping[str, Any]) -> None:
    """Insert an event; `body` is the JSON body of POST /v1/events/{door}.

    Call it inside the transaction that creates the account or settles the deposit. The same event
    again inserts nothing. The body is not validated, because an invalid event must not fail a
    signup; the relay marks its row as dead.
    """
    text = json.dumps(body, default=_as_text)
    await connection.execute(
        INSERT_EVENT, door, str(body["event_id"]), str(body["player_id"]), text
    )


def _as_text(value: object) -> str:
    """Return what JSON lacks as text, and a time as RFC 3339; str() puts a blank into it."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
