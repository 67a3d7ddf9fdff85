"""Players, each a row to lock."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from db.engine import Session
from db.tables import Player


async def lock(session: Session, *player_ids: str) -> None:
    """Nobody else decides anything about these players until the transaction ends."""
    rows = [{"player_id": player_id} for player_id in sorted(set(player_ids))]
    await session.execute(insert(Player).values(rows).on_conflict_do_nothing())
    await session.execute(
        select(Player.player_id)
        .where(Player.player_id.in_(player_ids))
        .order_by(Player.player_id)
        .with_for_update(key_share=True)
    )
