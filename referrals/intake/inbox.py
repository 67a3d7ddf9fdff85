"""Facts that nobody has looked at yet, player by player."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession, Session
from domain.intake.facts import Fact, FactKind
from referrals.intake.facts import fact_of

_TAKE = text("""
    with taken as (delete from inbox where player_id = :player_id returning kind, event_id)
    select facts.kind, facts.body from facts join taken using (kind, event_id)
    order by facts.occurred_at, facts.event_id
""")
# Materialized, so that a lock is tried in turn and only until there are enough: where the planner
# is free it may try one for every row, and claim players that nobody then routes.
_CLAIM = text("""
    with waiting as materialized (
        select player_id from inbox where player_id <> all(cast(:besides as varchar[]))
        order by id limit :seen
    )
    select player_id from waiting
    where pg_try_advisory_xact_lock(hashtext('inbox'), hashtext(player_id))
    limit :limit
""")
LOOKAHEAD_FACTOR: Final = 8
"""So many couriers find work of their own, each beyond what the others have claimed."""


async def lease_players(
    session: ReadSession, *, limit: int, besides: Collection[str] = ()
) -> tuple[str, ...]:
    """Whose facts are the oldest that no other transaction has claimed; `limit` counts facts.

    A claim ends with the transaction. It only keeps others from the same work: what makes a
    player's facts be routed once is the lock on the player. `besides` are left where they are.
    """
    values = {"besides": list(besides), "seen": limit * LOOKAHEAD_FACTOR, "limit": limit}
    claimed = await session.scalars(_CLAIM, values)
    return tuple(dict.fromkeys(claimed))


async def drain(session: Session, player_id: str) -> tuple[Fact, ...]:
    """Empty a locked player's inbox; the facts come in the order in which they happened."""
    rows = await session.execute(_TAKE, {"player_id": player_id})
    return tuple(fact_of(FactKind(row.kind), row.body) for row in rows)
