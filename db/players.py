"""Players, each a row to lock."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from db.engine import Session
from db.tables import Player


async def lock(session: Session, player_id: str) -> None:
    """Nobody else decides anything about this player until the transaction ends."""
    await session.execute(insert(Player).values(player_id=player_id).on_conflict_do_nothing())
    await session.execute(
        select(Player.player_id)
        .where(Player.player_id == player_id)
        .with_for_update(key_share=True)
    )
