"""Rebuild of clusters from all identity links, and of links from facts that were routed before."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Row, text

from db import locks
from db.engine import ReadSession, Session
from domain.fraud.clusters import join
from domain.fraud.links import MAX_SHARERS
from referrals.fraud.clusters import CLUSTERS_LOCK, LINKS_LOCK, Merge, assign, parted, record_merges
from referrals.fraud.link_values import (
    CARRYING_FACTS,
    HARD,
    JOINING,
    SAID_VALUES,
    STRONG,
    UNCAPPED,
    WRITTEN_KINDS,
)

PAGE_SIZE: Final = 500
"""Players whose facts are read in one transaction."""

_GROUPS: Final = text("""
    select kind, array_agg(player_id) as players
    from (
        select kind, value, player_id, row_number() over (
            partition by kind, value order by first_seen_at, player_id
        ) as place
        from identity_links where kind = any(:joining) and is_strong
    ) as placed
    where place <= :max_sharers or kind = any(:uncapped)
    group by kind, value having count(*) > 1
""")
_CLUSTERED: Final = text("select player_id, cluster_id from player_clusters")
_PAGE: Final = text("""
    select distinct player_id from facts
    where player_id > :after order by player_id limit :limit
""")

# Facts in the inbox are left to the router, which joins players by what is new to them.
_WRITE: Final = text(f"""
    with app as materialized (
        select distinct player_id from facts
        where player_id = any(:player_ids) and kind = 'signup'
          and lower(body ->> 'platform') = any(:strong)
    ), said as (
        select facts.player_id, said.kind, said.value,
               bool_or(said.kind = any(:hard)
                       or (said.kind = 'device_id' and app.player_id is not null)) as is_strong,
               min(facts.occurred_at) as first_seen_at, max(facts.occurred_at) as last_seen_at
        from facts left join app on app.player_id = facts.player_id
        cross join lateral ({SAID_VALUES}) as said
        where facts.player_id = any(:player_ids) and facts.kind = any(:carrying)
          and not exists (
              select from inbox
              where inbox.kind = facts.kind and inbox.event_id = facts.event_id)
        group by facts.player_id, said.kind, said.value
    ), written as (
        insert into identity_links (kind, value, player_id, is_strong, first_seen_at, last_seen_at)
        select kind, value, player_id, is_strong, first_seen_at, last_seen_at from said
        order by kind, value, player_id
        on conflict (kind, value, player_id) do update set
            is_strong = identity_links.is_strong or excluded.is_strong,
            first_seen_at = least(identity_links.first_seen_at, excluded.first_seen_at),
            last_seen_at = greatest(identity_links.last_seen_at, excluded.last_seen_at)
        where excluded.is_strong and not identity_links.is_strong
           or excluded.first_seen_at < identity_links.first_seen_at
        returning 1
    )
    select count(*) from written
""")  # noqa: S608 - made of a constant of ours


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Counts of a rebuild: clusters of several players, and players whose cluster it changed."""

    clusters: int
    changed: int

    def sentence(self) -> str:
        return f"{self.clusters} clusters; the cluster of {self.changed} players was changed"


async def rebuild_clusters(session: Session, *, timeout_s: float) -> Rebuilt:
    """Make the clusters that all links say, and record as merges whom that joins.

    Waits for the writers of links and keeps them out until the transaction ends, a few seconds for
    200,000 linked players. Changes nothing where the clusters are right already. `timeout_s` bounds
    each statement in place of a request's time limit.
    """
    await session.execute(text(f"set local statement_timeout = {round(timeout_s * 1000)}"))
    await locks.lock_key(session, LINKS_LOCK)
    await locks.lock_key(session, CLUSTERS_LOCK)
    groups = await _groups(session)
    parts = join(row.players for row in groups)
    rows = await session.execute(_CLUSTERED)
    now: dict[str, UUID] = {row.player_id: row.cluster_id for row in rows}
    changed = parted(now, parts)
    await assign(session, changed)
    await record_merges(session, _merges(parts, groups, now, changed))
    return Rebuilt(clusters=len(parts), changed=len(changed))


async def players_after(session: ReadSession, after: str) -> Sequence[str]:
    """Return a page of the players whom facts name, in the order of their ids."""
    page = await session.scalars(_PAGE, {"after": after, "limit": PAGE_SIZE})
    return [*page]


async def write_links(session: Session, player_ids: Collection[str]) -> int:
    """Write the links of players' routed facts, and return how many are new or wider than before.

    It joins nobody: `rebuild_clusters` does, once all links are there.
    """
    values = {
        "player_ids": sorted(player_ids),
        "carrying": sorted(CARRYING_FACTS),
        "kinds": WRITTEN_KINDS,
        "hard": HARD,
        "strong": STRONG,
    }
    written: int = (await session.execute(_WRITE, values)).scalar_one()
    return written


async def _groups(session: ReadSession) -> Sequence[Row[tuple[str, list[str]]]]:
    values = {"joining": JOINING, "uncapped": UNCAPPED, "max_sharers": MAX_SHARERS}
    return (await session.execute(_GROUPS, values)).all()


def _merges(
    parts: Sequence[frozenset[str]],
    groups: Sequence[Row[tuple[str, list[str]]]],
    now: Mapping[str, UUID],
    changed: Mapping[str, str],
) -> list[Merge]:
    """Return a merge for each cluster that joins players who were apart."""
    apart = [part for part in parts if part & changed.keys() and not _was_one(part, now)]
    place_of = {player: place for place, part in enumerate(apart) for player in part}
    kinds: defaultdict[int, set[str]] = defaultdict(set)
    for row in groups:
        place = place_of.get(row.players[0])
        if place is not None:
            kinds[place].add(row.kind)
    merges = []
    for place, part in enumerate(apart):
        moved = sorted(part & changed.keys())
        merges.append(Merge(moved[0], changed[moved[0]], sorted(kinds[place]), moved))
    return merges


def _was_one(part: frozenset[str], now: Mapping[str, UUID]) -> bool:
    return len({now.get(player, uuid4()) for player in part}) == 1
