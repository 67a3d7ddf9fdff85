"""Writes an event into `referral_outbox`, in the transaction of what it tells of."""

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

INSERT_EVENT: Final = """
    INSERT INTO referral_outbox (door, event_id, player_id, body) VALUES ($1, $2, $3, $4)
    ON CONFLICT (door, event_id) DO NOTHING
"""


class Connection(Protocol):
    """Of asyncpg, in a transaction."""

    async def execute(self, query: str, /, *args: object) -> object: ...


async def report(connection: Connection, door: str, body: Mapping[str, Any]) -> None:
    """`body` is that of POST /v1/events/{door}, its values as JSON has them.

    Call it inside the transaction that makes the account or settles the deposit. Nothing is
    checked here: what the service will refuse must not fail a signup, and ends as a dead row.
    """
    text = json.dumps(body, default=str)
    await connection.execute(
        INSERT_EVENT, door, str(body["event_id"]), str(body["player_id"]), text
    )
