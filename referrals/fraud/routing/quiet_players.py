"""Quiet players: nobody referred them, they refer nobody, and their facts decide nothing.

Most facts of a sportsbook are theirs. They are routed many at once, in as many statements as one.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, text

from db import locks
from db.engine import Session
from referrals.fraud import clusters
from referrals.fraud.clusters import NewValue
from referrals.fraud.link_values import HARD, SAID_VALUES, STRONG, WRITTEN_KINDS
from referrals.fraud.link_writing import COMPARED, REFRESH_AFTER, joining_values, write_links
from referrals.intake.unrouted import UNREMARKABLE

PATIENCE: Final = "100ms"
"""Time that players who are routed together wait for a lock: to be added as a player, and to write
a link that another transaction is writing. None of the others should wait for such a one."""

_BE_IMPATIENT: Final = text("select set_config('lock_timeout', :patience, true)")
# The facts of quiet players, by their places in the inbox; a value under an earlier key keeps its
# player from being quiet, as whoever shares it is to be looked up.
WAITING: Final = text("""
    with waiting as materialized (
        select inbox.id, inbox.player_id, inbox.kind, inbox.event_id,
               inbox.kind = any(cast(:unremarkable as varchar[]))
               and not coalesce(facts.matching, '{}') ? 'earlier' as is_unremarkable
        from inbox join facts using (kind, event_id)
        where inbox.player_id = any(cast(:player_ids as varchar[]))
          and not exists (select from referrals
                           where referee_id = inbox.player_id and stage <> 'LOST')
          and not exists (select from referrals where referrer_id = inbox.player_id)
    )
    select player_id, array_agg(id) as places, array_agg(kind) as kinds,
           array_agg(event_id) as event_ids
    from waiting group by player_id having bool_and(is_unremarkable)
""")
# What they say, beside what is known of it. A deposit names no platform: its device is as strong as
# the one that the player signed up with. The limits make every look-up a step into an index: the
# planner expects far more values than there are, and would read whole tables.
_SAID: Final = text(f"""
    with reported as (
        select facts.player_id, said.kind, said.value,
               bool_or(said.kind = any(:hard)
                       or (said.kind = 'device_id' and app.player_id is not null)) as is_strong,
               min(facts.occurred_at) as first_seen_at, max(facts.occurred_at) as last_seen_at
        from unnest(cast(:fact_kinds as varchar[]), cast(:event_ids as varchar[]))
            as key (kind, event_id)
        cross join lateral (
            select * from facts
             where facts.kind = key.kind and facts.event_id = key.event_id limit 1
        ) as facts
        left join lateral (
            select player_id from facts as signup
             where signup.player_id = facts.player_id and signup.kind = 'signup'
               and lower(signup.body ->> 'platform') = any(:strong)
             limit 1
        ) as app on true
        cross join lateral ({SAID_VALUES}) as said
        group by facts.player_id, said.kind, said.value
    )
    {COMPARED}
""")  # noqa: S608 - made of constants of ours
_SHARED: Final = text("""
    select new.kind, new.value
    from unnest(cast(:kinds as varchar[]), cast(:values as text[])) as new (kind, value)
    cross join lateral (
        select from identity_links as known
         where known.kind = new.kind and known.value = new.value and known.is_strong
         limit 1
    ) as known
""")
_DRAIN: Final = text("delete from inbox where id = any(cast(:places as bigint[]))")


async def route_quiet(session: Session, player_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Route those players that are quiet, and return them, each with the ids of its events.

    Their new values are linked. Left out are a player whom another transaction has locked, or of
    whom it has locked a new value, so that none waits for another's, and one whom a new value joins
    to others: players are joined one by one. Raises DBAPIError after PATIENCE at a lock for
    which a statement has to wait.
    """
    await session.execute(_BE_IMPATIENT, {"patience": PATIENCE})
    locked = await locks.try_lock_players(session, *player_ids)
    waiting = await _waiting_of_quiet(session, locked)
    if not waiting:
        return {}
    said = await _said(session, waiting)
    joining = [(row.player_id, value) for row in said for value in joining_values([row])]
    free = await _lock_unshared(session, [value for _, value in joining])
    alone = {player_id for player_id, one in joining if (one.kind, one.value) not in free}
    drained = [row for row in waiting if row.player_id not in alone]
    await write_links(session, [row for row in said if row.player_id not in alone])
    await session.execute(_DRAIN, {"places": [place for row in drained for place in row.places]})
    return {row.player_id: row.event_ids for row in drained}


async def _waiting_of_quiet(session: Session, player_ids: Collection[str]) -> Sequence[Row[Any]]:
    """Return what waits of each quiet one among locked players."""
    if not player_ids:
        return ()
    values = {"player_ids": sorted(player_ids), "unremarkable": UNREMARKABLE}
    return (await session.execute(WAITING, values)).all()


async def _said(session: Session, waiting: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    values = {
        "fact_kinds": [kind for row in waiting for kind in row.kinds],
        "event_ids": [event_id for row in waiting for event_id in row.event_ids],
        "kinds": WRITTEN_KINDS,
        "hard": HARD,
        "strong": STRONG,
        "refresh_after": REFRESH_AFTER,
    }
    return (await session.execute(_SAID, values)).all()


async def _lock_unshared(session: Session, new: Sequence[NewValue]) -> frozenset[tuple[str, str]]:
    """Lock new values, and return those of which no strong one is another player's, now or before.

    One that another transaction has locked is not among them.
    """
    if not new:
        return frozenset()
    locked = await clusters.try_lock_values(session, [(one.kind.value, one.value) for one in new])
    brought = Counter((one.kind.value, one.value) for one in new if one.is_strong)
    if not brought:
        return locked
    values = {
        "kinds": [kind for kind, _ in brought],
        "values": [value for _, value in brought],
    }
    known = {(row.kind, row.value) for row in await session.execute(_SHARED, values)}
    return locked - known - {one for one, count in brought.items() if count > 1}
