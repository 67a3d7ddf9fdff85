"""Players, each a row to lock."""

from typing import Final

from sqlalchemy import select, text

from db.engine import Session
from db.tables import Player

# The count is asked before any row is locked: whoever is missing is made first, in order. A row
# that was just made is ours alone, and not seen yet.
_MAKE_AND_LOCK: Final = text("""
    with made as (
        insert into players (player_id) select unnest(cast(:player_ids as varchar[]))
        on conflict do nothing returning player_id
    ), locked as (
        select player_id from players
        where player_id = any(:player_ids) and (select count(*) from made) >= 0
        order by player_id for no key update
    )
    select (select count(*) from made) + (select count(*) from locked)
""")


async def lock_players(session: Session, *player_ids: str) -> None:
    """Nobody else decides anything about these players until the transaction ends."""
    wanted = sorted(set(player_ids))
    locked = await session.scalar(_MAKE_AND_LOCK, {"player_ids": wanted})
    if locked != len(wanted):
        await _lock_all(session, wanted)


async def _lock_all(session: Session, player_ids: list[str]) -> None:
    """Somebody else made one of them meanwhile, which the first statement cannot see."""
    await session.execute(
        select(Player.player_id)
        .where(Player.player_id.in_(player_ids))
        .order_by(Player.player_id)
        .with_for_update(key_share=True)
    )
