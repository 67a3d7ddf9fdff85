"""Facts that nobody has looked at yet, player by player."""

from collections.abc import Collection

from sqlalchemy import func, select, text

from db.engine import ReadSession, Session
from db.facts import fact_of
from db.tables import Inbox
from domain.facts import Fact, Kind

_TAKE = text("""
    with taken as (delete from inbox where player_id = :player_id returning kind, event_id)
    select facts.kind, facts.body from facts join taken using (kind, event_id)
    order by facts.occurred_at, facts.event_id
""")


async def waiting_players(
    session: ReadSession, *, limit: int, besides: Collection[str] = ()
) -> tuple[str, ...]:
    """Whose facts are among the `limit` oldest; `besides` are left where they are."""
    rows = select(Inbox.id, Inbox.player_id).where(Inbox.player_id.not_in(besides))
    oldest = rows.order_by(Inbox.id).limit(limit).subquery()
    query = select(oldest.c.player_id).group_by(oldest.c.player_id)
    return tuple(await session.scalars(query.order_by(func.min(oldest.c.id))))


async def take(session: Session, player_id: str) -> tuple[Fact, ...]:
    """Empty a locked player's inbox; the facts come in the order in which they happened."""
    rows = await session.execute(_TAKE, {"player_id": player_id})
    return tuple(fact_of(Kind(row.kind), row.body) for row in rows)
