"""Fraud evidence: everything recorded about a referral's pair, gathered into one snapshot."""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text

from db.engine import ReadSession
from db.tables import ReferralRow
from domain.derived_ids import derived_id
from domain.fraud.links import MAX_SHARERS, KindLinks, PairLinks
from domain.fraud.snapshot import Cluster, Link, Snapshot
from referrals.fraud.conduct import CONDUCT, conduct_from
from referrals.fraud.links import SURROUNDINGS, load_values, pair_links_from
from referrals.fraud.referrer_record import RECORD, age_s, record_from
from referrals.fraud.velocities import VELOCITIES, velocities_from
from referrals.lifecycle.stages import terms_of

SAMPLE_POINTS: Final = 10_000
MAX_VALUES: Final = 20
"""Latest values of each soft kind by which other referees of the referrer are looked for."""

MAX_NEAR: Final = 100
"""Referees before this one, and as many after it, among whom others who share a soft value are
sought: an audience of thousands fills networks by chance."""

# Counts the referrer's other referees, of those invited nearest to the referee, that share a soft
# value with the referee. An address shared by more players than the cap is not counted.
_SIBLINGS: Final = f"""
    with near as (
        (select referee_id from referrals
         where referrer_id = :referrer and referee_id is not null and stage <> 'LOST'
           and invited_at <= :invited_at
         order by invited_at desc limit {MAX_NEAR})
        union all
        (select referee_id from referrals
         where referrer_id = :referrer and referee_id is not null and stage <> 'LOST'
           and invited_at > :invited_at
         order by invited_at limit {MAX_NEAR})
    )
    select held.kind, count(distinct near.referee_id) as siblings
    from unnest(array['device_id', 'ip', 'network']) as wanted
    cross join lateral (
        select kind, value from identity_links
        where player_id = :referee and kind = wanted
        order by last_seen_at desc limit {MAX_VALUES}
    ) as held
    cross join lateral (
        select player_id from (
            select player_id, count(*) over () as sharers from (
                select player_id from identity_links as sharer
                where sharer.kind = held.kind and sharer.value = held.value
                limit {MAX_SHARERS} + 1
            ) as bounded
        ) as few
        where sharers <= {MAX_SHARERS}
        union all
        select sharer.player_id from near join identity_links as sharer
            on sharer.kind = held.kind and sharer.value = held.value
            and sharer.player_id = near.referee_id
        where held.kind = 'device_id'
    ) as other
    join near on near.referee_id = other.player_id
    where other.player_id not in (:referrer, :referee)
    group by held.kind
"""  # noqa: S608 - made of constants of ours
# Changes whenever a fact of the pair that evidence rests on is recorded, or a cluster changes.
# Wagers are left out: they come by the thousand, and one more decides nothing.
MARKER: Final = """
    select concat_ws(' ',
        (select concat_ws(' ', count(*), max(heard_at)) from facts
         where player_id in (:referrer, :referee)
           and kind in ('signup', 'deposit', 'chargeback', 'player', 'withdrawal')),
        (select string_agg(concat_ws(' ', player_id, cluster_id, (
            select count(*) from (
                select from player_clusters as member
                where member.cluster_id = own.cluster_id limit 1000
            ) as counted
         )), ' ' order by player_id)
         from player_clusters as own where player_id in (:referrer, :referee))
    )
"""
_OF_EACH: Final = MARKER.replace(":referrer", "pair.referrer").replace(":referee", "pair.referee")
_MARKERS: Final = text(f"""
    select pair.id, ({_OF_EACH}) as marker
    from unnest(
        cast(:ids as uuid[]), cast(:referrers as varchar[]), cast(:referees as varchar[])
    ) as pair (id, referrer, referee)
""")  # noqa: S608 - made of constants of ours
# Each part is one row, and bounded; what is read of values comes as a statement of its own.
_EVIDENCE: Final = text(f"""
    select conduct.*, velocities.*, record.*, surroundings.*,
           (select jsonb_object_agg(kind, siblings) from ({_SIBLINGS}) as each) as siblings,
           ({MARKER}) as marker
    from ({CONDUCT}) as conduct, ({VELOCITIES}) as velocities, ({RECORD}) as record,
         ({SURROUNDINGS}) as surroundings
""")  # noqa: S608 - made of constants of ours


async def load_markers(
    session: ReadSession, referrals: Collection[ReferralRow]
) -> Mapping[UUID, str]:
    """Return a text for each referral that stays the same as long as evidence of it is current."""
    pairs = {
        "ids": [referral.id for referral in referrals],
        "referrers": [referral.referrer_id for referral in referrals],
        "referees": [referral.referee_id for referral in referrals],
    }
    return {row.id: row.marker for row in await session.execute(_MARKERS, pairs)}


class Marked(NamedTuple):
    """Evidence about a pair, and the marker as it was then."""

    snapshot: Snapshot
    marker: str


async def load_snapshot(
    session: ReadSession, referral: ReferralRow, *, deposit_event_id: str
) -> Snapshot:
    """Return the recorded evidence about a pair; the caller adds the fraud providers' answers."""
    return (await load_marked(session, referral, deposit_event_id=deposit_event_id)).snapshot


async def load_marked(
    session: ReadSession, referral: ReferralRow, *, deposit_event_id: str
) -> Marked:
    """Return the recorded evidence with its marker, of one snapshot of the database."""
    referee_id, terms = referral.referee_id or "", terms_of(referral)
    signed_up_at = referral.signed_up_at or referral.invited_at
    pair = {"referrer": referral.referrer_id, "referee": referee_id}
    held = await load_values(session, pair)
    values = {
        **pair,
        "referral_id": referral.id,
        "campaign_id": referral.campaign_id,
        "invited_at": referral.invited_at,
        "signed_up_at": signed_up_at,
        "deposit": deposit_event_id,
    }
    row = (await session.execute(_EVIDENCE, values)).one()
    links = pair_links_from(held, row, referrer_id=referral.referrer_id, referee_id=referee_id)
    conduct = conduct_from(row, signed_up_at=signed_up_at, minimum=terms.minimum_deposit)
    velocities, variation_percent = velocities_from(row, code=referral.code, at=signed_up_at)
    record = record_from(
        row,
        account_age_s=age_s(conduct.referrer_signed_up_at, signed_up_at),
        has_deposited=conduct.referrer_has_deposited,
        spacing_variation_percent=variation_percent,
    )
    snapshot = Snapshot(
        same_player=referral.referrer_id == referee_id,
        known=conduct.known,
        requires=terms.requires,
        links=_links(links, row.siblings or {}),
        cluster=_cluster(links),
        has_similar_name=links.similar_name,
        has_similar_mailbox=links.similar_mailbox,
        velocities=velocities,
        behaviour=conduct.behaviour,
        origin=conduct.origin,
        referrer=record,
        sample_point=sample_point(referral.id),
    )
    return Marked(snapshot, row.marker)


def sample_point(referral_id: UUID) -> int:
    """Return the place of a referral among 10,000, by which the sample to be reviewed is drawn."""
    return derived_id(referral_id, "sample").int % SAMPLE_POINTS


def _links(links: PairLinks, siblings: Mapping[str, int]) -> tuple[Link, ...]:
    return tuple(_link(each, siblings) for each in links.kinds if each.referee_known)


def _link(each: KindLinks, siblings: Mapping[str, int]) -> Link:
    return Link(
        kind=each.kind.value,
        is_shared=each.is_shared,
        is_hard=each.is_hard,
        others=each.others,
        hard_others=each.hard_others,
        siblings=siblings.get(each.kind.value, 0),
        gap_s=each.gap_s,
        is_shared_by_too_many=each.shared_by_too_many,
        is_crowd_shared=each.is_crowd_shared,
    )


def _cluster(links: PairLinks) -> Cluster:
    return Cluster(
        players=links.referee_cluster.size if links.referee_cluster else 1,
        has_referrer=links.same_cluster,
        cycle=links.ring.cycle,
        chain=links.ring.chain,
        star=links.ring.star,
    )
