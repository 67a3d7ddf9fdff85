"""Clusters of players that hard links join, kept while links are written.

Locks come after those of players and before those of referrals: the links as a whole (shared, so
that a rebuild waits for all writers), the values that are new to a player, sorted, and then, only
where clusters meet, the clusters as a whole.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Row, text

from db import locks
from db.engine import ReadSession, Session
from domain.fraud.clusters import largest_first
from domain.fraud.links import MAX_SHARERS, UNCAPPED_KINDS, LinkKind

LINKS_LOCK: Final = "identity links"
CLUSTERS_LOCK: Final = "player clusters"

_LOCK_VALUES: Final = text("""
    with everything as materialized (
        select pg_advisory_xact_lock_shared(hashtextextended(:links_lock, 0))
    ), keys as materialized (
        select distinct hashtextextended(key, 1) as key
        from unnest(cast(:keys as text[])) as key, everything order by 1
    )
    select count(pg_advisory_xact_lock(key)) from keys
""")
_TRY_LOCK_VALUES: Final = text("""
    with everything as materialized (
        select pg_try_advisory_xact_lock_shared(hashtextextended(:links_lock, 0)) as is_locked
    )
    select place - 1 as place
    from unnest(cast(:keys as text[])) with ordinality as given (key, place), everything
    where is_locked and pg_try_advisory_xact_lock(hashtextextended(key, 1))
""")
# Its lists come through sub-selects, so that it is planned once, whatever they hold.
_SHARERS: Final = text("""
    select kind, value, array_agg(player_id order by first_seen_at, player_id) as players
    from unnest((select cast(:kinds as varchar[])), (select cast(:values as text[])))
        as new (kind, value)
    cross join lateral (
        select player_id, first_seen_at from identity_links
        where identity_links.kind = new.kind and identity_links.value = new.value and is_strong
        order by first_seen_at, player_id limit :max_sharers + 1
    ) as sharer
    group by kind, value
""")
_CLUSTERS: Final = text("""
    select player_id, cluster_id from player_clusters where player_id = any(:player_ids)
""")
_SIZES: Final = text("""
    select cluster_id, count(*) as size from player_clusters
    where cluster_id = any(:cluster_ids) group by cluster_id
""")
_MOVE: Final = text("""
    update player_clusters set cluster_id = :target, changed_at = clock_timestamp()
    where cluster_id = any(:losers) returning player_id
""")
_ASSIGN: Final = text("""
    insert into player_clusters (player_id, cluster_id)
    select * from unnest(cast(:player_ids as varchar[]), cast(:cluster_ids as uuid[]))
    on conflict (player_id)
    do update set cluster_id = excluded.cluster_id, changed_at = clock_timestamp()
""")
_RECORD_MERGE: Final = text("""
    insert into cluster_merges (id, player_id, cluster_id, kinds, moved)
    values (:id, :player_id, :cluster_id, :kinds, :moved)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewValue:
    """A value of a kind that can join players, which is new to the player or newly strong."""

    kind: LinkKind
    value: str
    is_strong: bool


@dataclass(frozen=True, slots=True)
class Merge:
    """Players whom a link of `player_id` joined; `moved` are those whose cluster changed."""

    player_id: str
    cluster_id: str
    kinds: list[str]
    moved: list[str]


async def cluster_of(session: ReadSession, player_id: str) -> UUID | None:
    """Return the cluster of a player, or None for one whom no hard link joins to others."""
    query = text("""
        select cluster_id from player_clusters as own where player_id = :player_id and exists (
            select from player_clusters as one
            where one.cluster_id = own.cluster_id and one.player_id <> own.player_id
        )
    """)
    found: UUID | None = await session.scalar(query, {"player_id": player_id})
    return found


async def lock_values(session: Session, values: Iterable[tuple[str, str]]) -> None:
    """Lock values until the transaction ends: of two players who bring one, the second sees it.

    Each is a kind and a hash. All that a transaction locks must be in its first call.
    """
    keys = [f"{kind}:{value}" for kind, value in values]
    await session.execute(_LOCK_VALUES, {"links_lock": LINKS_LOCK, "keys": keys})


async def try_lock_values(
    session: Session, values: Sequence[tuple[str, str]]
) -> frozenset[tuple[str, str]]:
    """Lock those values that no other transaction has locked, and return them; wait for none."""
    keys = [f"{kind}:{value}" for kind, value in values]
    places = await session.scalars(_TRY_LOCK_VALUES, {"links_lock": LINKS_LOCK, "keys": keys})
    return frozenset(values[place] for place in places)


async def join_players(session: Session, player_id: str, new: Sequence[NewValue]) -> None:
    """Join a player to those who share locked values that are written down already.

    A value joins the first MAX_SHARERS players who had it; they stay joined whoever comes later.
    """
    joined = {player_id}
    kinds: set[LinkKind] = set()
    strong = [one for one in new if one.is_strong]
    for row in await _sharers(session, strong) if strong else ():
        kind = LinkKind(row.kind)
        first = row.players if kind in UNCAPPED_KINDS else row.players[:MAX_SHARERS]
        is_joined = kind in UNCAPPED_KINDS or player_id in first
        if is_joined and {*first} - {player_id}:
            joined.update(first)
            kinds.add(kind)
    if kinds:
        await _merge(session, player_id, joined, kinds)


async def _sharers(session: Session, new: Sequence[NewValue]) -> Sequence[Row[Any]]:
    values = {
        "kinds": [one.kind for one in new],
        "values": [one.value for one in new],
        "max_sharers": MAX_SHARERS,
    }
    return (await session.execute(_SHARERS, values)).all()


async def _merge(
    session: Session, player_id: str, joined: Collection[str], kinds: Collection[LinkKind]
) -> None:
    """Give joined players one cluster, the largest of theirs, and record who moved to it."""
    now = await _clusters(session, joined)
    if len(now) == len(joined) and len(set(now.values())) == 1:
        return
    await locks.lock_key(session, CLUSTERS_LOCK)
    now = await _clusters(session, joined)
    cluster_ids = {"cluster_ids": sorted(set(now.values()))}
    sizes = {str(row.cluster_id): row.size for row in await session.execute(_SIZES, cluster_ids)}
    target, *losers = largest_first(sizes) or [str(uuid4())]
    values = {"target": target, "losers": losers}
    moved = [*await session.scalars(_MOVE, values)] if losers else []
    loners = sorted(set(joined) - now.keys())
    await assign(session, dict.fromkeys(loners, target))
    if moved or loners:
        moved = sorted({*moved, *loners})
        merge = Merge(player_id, target, sorted(kinds), moved)
        await record_merges(session, [merge])


async def _clusters(session: Session, player_ids: Collection[str]) -> dict[str, UUID]:
    rows = await session.execute(_CLUSTERS, {"player_ids": sorted(player_ids)})
    return {row.player_id: row.cluster_id for row in rows}


async def record_merges(session: Session, merges: Sequence[Merge]) -> None:
    """Record that players were joined, so that their referrals are looked at."""
    if merges:
        await session.execute(_RECORD_MERGE, [{"id": uuid4(), **asdict(each)} for each in merges])


def parted(now: dict[str, UUID], parts: Collection[frozenset[str]]) -> dict[str, str]:
    """Return the players whose cluster changes, with the id of the new one."""
    changed: dict[str, str] = {}
    kept: set[UUID] = set()
    together = {player for part in parts for player in part}
    alone = [frozenset({player}) for player in now if player not in together]
    for part in sorted([*parts, *alone], key=lambda one: (-len(one), min(one))):
        ids = [now[player] for player in sorted(part) if player in now]
        free = next((cluster_id for cluster_id in ids if cluster_id not in kept), None)
        target = free or uuid4()
        kept.add(target)
        changed |= {player: str(target) for player in part if now.get(player) != target}
    return changed


async def assign(session: Session, clusters: Mapping[str, str]) -> None:
    """Give players their clusters, under the lock of the clusters."""
    if clusters:
        values = {"player_ids": [*clusters], "cluster_ids": [*clusters.values()]}
        await session.execute(_ASSIGN, values)
