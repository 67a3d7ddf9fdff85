"""People who are players, too: nobody decides about money of their own."""

from typing import Final

from sqlalchemy import text

from db.engine import ReadSession
from domain.people import is_same_person

# Reads players, and those whom hard links join to any of them.
_JOINED: Final = text("""
    select unnest(cast(:player_ids as text[])) as player_id
    union
    select member.player_id
    from player_clusters own join player_clusters member on member.cluster_id = own.cluster_id
    where own.player_id = any(cast(:player_ids as text[]))
""")


async def is_own(session: ReadSession, name: str, *player_ids: str) -> bool:
    """Return whether a person's name is the id of one of the players, or of one linked to them."""
    joined = await session.scalars(_JOINED, {"player_ids": list(player_ids)})
    return any(is_same_person(player_id, name) for player_id in [*joined])
