"""Links of a referral's pair: what they share, their clusters, and the rings around them."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Row, text

from db.engine import ReadSession
from domain.fraud.links import (
    MAX_SHARERS,
    LinkKind,
    PairLinks,
    PlayerLink,
    compare,
)
from domain.fraud.names import is_near_any, is_similar
from domain.fraud.rings import MAX_CHAIN, MAX_MEMBERS, Cluster, find_ring
from referrals.fraud.link_values import (
    HARD,
    KINDS,
    STRONG,
    earlier_values,
    said_values,
    sql_array,
)

MAX_VALUES: Final = 50
"""Names and addresses of a player, the latest, that are compared."""
MAX_THINGS: Final = 500
"""Devices, cards, documents, numbers and mailboxes of a player, the latest: nobody has so many, and
whoever brings dozens to push a shared one out is not rid of it."""
THINGS: Final = [
    kind.value
    for kind in (
        LinkKind.DEVICE_ID,
        LinkKind.PAYMENT_INSTRUMENT,
        LinkKind.KYC_SUBJECT,
        LinkKind.PHONE,
        LinkKind.EMAIL,
    )
]
MAX_SIBLINGS: Final = 20
"""Latest referees of a referrer whose mailboxes are compared with the referee's."""
MAX_SIZE: Final = 1000
"""Players of a cluster that are counted."""

_KINDS: Final = sql_array(KINDS)

# Reads the latest values of the pair, those of facts that wait for the router as well, counts the
# other players who share the referee's, and tells of values that name one person whether the player
# is among the first who had it. Each part is bounded and indexed, so that the time does not grow
# with a referrer's referees or with how many players share a value.
_VALUES: Final = text(f"""
    with pair as (
        select distinct player_id
        from unnest(array[cast(:referrer as varchar), cast(:referee as varchar)]) as player_id
    ), waiting as (
        select inbox.player_id, said.kind, said.value,
               said.kind = any({sql_array(HARD)})
               or (said.kind = 'device_id' and exists (
                   select from facts as own
                   where own.player_id = inbox.player_id and own.kind = 'signup'
                     and lower(own.body ->> 'platform') = any({sql_array(STRONG)})))
               as is_strong,
               facts.occurred_at as first_seen_at, facts.occurred_at as last_seen_at
        from inbox join pair using (player_id)
        join facts on facts.kind = inbox.kind and facts.event_id = inbox.event_id
        cross join lateral (
            {said_values(_KINDS)}
            union select kind, earlier from ({earlier_values(_KINDS)}) as renamed
        ) as said
    ), linked as (
        select player_id, latest.* from pair cross join unnest({_KINDS}) as wanted
        cross join lateral (
            select kind, value, is_strong, first_seen_at, last_seen_at from identity_links
            where identity_links.player_id = pair.player_id and kind = wanted
            order by last_seen_at desc
            limit case when wanted = any({sql_array(THINGS)}) then {MAX_THINGS}
                       else {MAX_VALUES} end
        ) as latest
    ), held as materialized (
        select * from linked union all select * from waiting
    ), counted as materialized (
        select held.*, (
            select count(*) from (
                select from identity_links as other
                where held.player_id = :referee
                  and other.kind = held.kind and other.value = held.value
                  and other.player_id not in (:referrer, :referee)
                limit {MAX_SHARERS}
            ) as sharers
        ) as others
        from held
    )
    select counted.*,
           case when is_strong and (player_id = :referrer or others >= {MAX_SHARERS} - 1) then (
               select count(*) from (
                   select from identity_links as other
                   where other.kind = counted.kind and other.value = counted.value
                     and other.is_strong and other.player_id <> counted.player_id
                     and (other.first_seen_at, other.player_id)
                         < (counted.first_seen_at, counted.player_id)
                   limit {MAX_SHARERS}
               ) as before
           ) < {MAX_SHARERS} else true end as is_early
    from counted
""")  # noqa: S608 - made of a constant of ours

# Reads the clusters of the pair, who brought their players, and who brought the referrer; the names
# of the pair, and the mailboxes of the pair and of the referrer's latest referees.
SURROUNDINGS: Final = f"""
    with recursive above (player_id, depth) as (
        select cast(:referrer as varchar), 0
        union all
        select referrals.referrer_id, depth + 1
        from above join referrals on referrals.referee_id = above.player_id
        where referrals.stage <> 'LOST' and depth < {MAX_CHAIN}
    ), own as (
        select distinct cluster_id from player_clusters where player_id in (:referrer, :referee)
    ), sized as (
        select cluster_id, (
            select count(*) from (
                select from player_clusters as one
                where one.cluster_id = own.cluster_id limit {MAX_SIZE}
            ) as counted
        ) as size
        from own
    ), members as (
        select shown.* from own cross join lateral (
            select player_id, cluster_id from player_clusters as one
            where one.cluster_id = own.cluster_id order by player_id limit {MAX_MEMBERS}
        ) as shown
    ), people as (
        select player_id from members
        union select player_id from above
        union select cast(:referee as varchar)
    ), spelling as (
        select player_id from unnest(
            array[cast(:referrer as varchar), cast(:referee as varchar)]
        ) as player_id
        union
        (select referee_id from referrals
         where referrer_id = :referrer and referee_id is not null
         order by invited_at desc limit {MAX_SIBLINGS})
    )
    select
        (select jsonb_object_agg(cluster_id, size) from sized) as sizes,
        (select jsonb_object_agg(player_id, cluster_id)
         from people join player_clusters using (player_id)) as clusters,
        (select jsonb_object_agg(referee_id, referrer_id)
         from referrals join people on referee_id = player_id where stage <> 'LOST') as referred_by,
        (select jsonb_object_agg(player_id, to_jsonb(latest))
         from spelling cross join lateral (
            select matching -> 'name_words' as words, matching -> 'email_spellings' as mailbox
            from facts
            where facts.player_id = spelling.player_id and kind = 'signup' and matching is not null
            order by occurred_at desc, event_id desc limit 1
         ) as latest) as spellings
"""  # noqa: S608 - made of constants of ours

Held = Mapping[str, list[PlayerLink]]
"""Values of each player of a pair."""


def pair_links_from(held: Held, row: Row[Any], *, referrer_id: str, referee_id: str) -> PairLinks:
    """Return the links of a pair, by its values and a row of SURROUNDINGS."""
    spelled = dict(row.spellings or {})
    theirs, mine = spelled.get(referrer_id, {}), spelled.pop(referee_id, {})
    return PairLinks(
        kinds=compare(held[referrer_id], held[referee_id]),
        similar_name=is_similar(theirs.get("words"), mine.get("words")),
        similar_mailbox=is_near_any(
            mine.get("mailbox"), [each["mailbox"] for each in spelled.values()]
        ),
        referrer_cluster=_cluster(referrer_id, row),
        referee_cluster=_cluster(referee_id, row),
        ring=find_ring(
            referrer_id=referrer_id,
            referee_id=referee_id,
            clusters=row.clusters or {},
            referred_by=row.referred_by or {},
        ),
    )


async def load_values(session: ReadSession, pair: Mapping[str, Any]) -> Held:
    """Return the latest values of a pair (`referrer`, `referee`), and how many share them."""
    held: defaultdict[str, list[PlayerLink]] = defaultdict(list)
    for row in await session.execute(_VALUES, pair):
        held[row.player_id].append(_link(row))
    return held


def _link(row: Row[Any]) -> PlayerLink:
    return PlayerLink(
        kind=LinkKind(row.kind),
        value=row.value,
        is_strong=row.is_strong,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        others=row.others,
        is_early=row.is_early,
    )


def _cluster(player_id: str, ring: Row[Any]) -> Cluster | None:
    clusters: Mapping[str, str] = ring.clusters or {}
    cluster_id = clusters.get(player_id)
    if cluster_id is None:
        return None
    members = sorted(player for player, one in clusters.items() if one == cluster_id)
    return Cluster(
        cluster_id=cluster_id, size=ring.sizes[cluster_id], members=tuple(members[:MAX_MEMBERS])
    )
