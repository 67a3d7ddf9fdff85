"""Players of cases and of their clusters, and the values that several of them share."""

# ruff: noqa: S608 - the statements are built from our own constants alone

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import text

from db.engine import ReadSession

MAX_PLAYERS: Final = 200
"""Players of one cluster that are shown."""
MAX_VALUES: Final = 200
"""Values of one player, the latest, that are compared."""
MAX_SHARERS: Final = 1000
"""Players who share one value that are counted."""

_MEMBERS: Final = """
    with pairs as (
        select case_id, unnest(array[referrer_id, referee_id]) as player_id
        from case_referrals join referrals on referrals.id = referral_id
        where case_id = any(:case_ids)
    ), members as (
        select case_id, player_id from pairs where player_id is not null
        union
        select case_id, shown.player_id
        from (select distinct case_id, cluster_id
              from pairs join player_clusters using (player_id)) as clusters
        cross join lateral (
            select player_id from player_clusters as one
            where one.cluster_id = clusters.cluster_id order by player_id limit :max_players
        ) as shown
    )
"""
_PLAYERS: Final = text(f"{_MEMBERS} select case_id, player_id from members order by player_id")
# Values that at least two players of a case hold, and how many players hold each in all.
_LINKS: Final = text(f"""
    {_MEMBERS}, held as (
        select case_id, player_id, kind, value
        from members cross join lateral (
            select kind, value from identity_links
            where identity_links.player_id = members.player_id
            order by last_seen_at desc limit :max_values
        ) as latest
    ), shared as (
        select case_id, kind, value, array_agg(player_id order by player_id) as players
        from held group by case_id, kind, value having count(*) > 1
    )
    select case_id, kind, players, (
        select count(*) from (
            select from identity_links as one
            where one.kind = shared.kind and one.value = shared.value limit :max_sharers
        ) as counted
    ) as shared_by
    from shared order by kind, players
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLink:
    """A value that several players of a case share; the value itself is not shown."""

    kind: str
    players: Sequence[str]
    shared_by: int
    """Players who hold the value, those outside of the case too; at most MAX_SHARERS."""


@dataclass(frozen=True, slots=True)
class CaseCluster:
    """The players that a case is about, and what links them."""

    players: list[str] = field(default_factory=list)
    links: list[CaseLink] = field(default_factory=list)


async def load_clusters(
    session: ReadSession, case_ids: Sequence[UUID]
) -> Mapping[UUID, CaseCluster]:
    """Return the cluster of each case, in two statements for a whole page."""
    clusters: defaultdict[UUID, CaseCluster] = defaultdict(CaseCluster)
    asked = {"case_ids": list(case_ids), "max_players": MAX_PLAYERS}
    for row in await session.execute(_PLAYERS, asked):
        clusters[row.case_id].players.append(row.player_id)
    bounds = {"max_values": MAX_VALUES, "max_sharers": MAX_SHARERS}
    for row in await session.execute(_LINKS, asked | bounds):
        link = CaseLink(kind=row.kind, players=tuple(row.players), shared_by=row.shared_by)
        clusters[row.case_id].links.append(link)
    return clusters
