"""Events in a service's outbox, as a relay reads them."""

import json
from typing import Any

from sandbox.sportsbook.services.connections import Pool


async def events_of(pool: Pool, player_id: str) -> list[dict[str, Any]]:
    """Return the bodies of a player's events, oldest first, each with its `topic`."""
    rows = await pool.fetch(
        "SELECT aggregatetype, payload FROM outbox WHERE aggregateid = $1 ORDER BY xid, seq",
        player_id,
    )
    return [{"topic": row["aggregatetype"], **json.loads(row["payload"])} for row in rows]
