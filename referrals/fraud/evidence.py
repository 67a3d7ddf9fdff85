"""Fraud evidence: everything recorded about a referral's pair, gathered into one snapshot."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from db.engine import ReadSession
from db.tables import ReferralRow
from domain.derived_ids import derived_id
from domain.fraud.links import MAX_SHARERS, KindLinks, PairLinks
from domain.fraud.snapshot import Cluster, Link, Snapshot
from referrals.fraud.conduct import load_conduct
from referrals.fraud.links import load_pair_links
from referrals.fraud.referrer_record import age_s, load_record
from referrals.fraud.velocities import load_velocities
from referrals.lifecycle.stages import terms_of

SAMPLE_POINTS: Final = 10_000
MAX_VALUES: Final = 20
"""Latest values of each soft kind by which other referees of the referrer are looked for."""

MAX_NEAR: Final = 100
"""Referees before this one, and as many after it, among whom others who share a soft value are
sought: an audience of thousands fills networks by chance."""

# Counts the referrer's other referees, of those invited nearest to the referee, that share a soft
# value with the referee. An address shared by more players than the cap is not counted.
_SIBLINGS: Final = text("""
    with near as (
        (select referee_id from referrals
         where referrer_id = :referrer and referee_id is not null and stage <> 'LOST'
           and invited_at <= :invited_at
         order by invited_at desc limit :max_near)
        union all
        (select referee_id from referrals
         where referrer_id = :referrer and referee_id is not null and stage <> 'LOST'
           and invited_at > :invited_at
         order by invited_at limit :max_near)
    )
    select held.kind, count(distinct near.referee_id) as siblings
    from unnest(array['device_id', 'ip', 'network']) as wanted
    cross join lateral (
        select kind, value from identity_links
        where player_id = :referee and kind = wanted
        order by last_seen_at desc limit :max_values
    ) as held
    cross join lateral (
        select player_id from (
            select player_id, count(*) over () as sharers from (
                select player_id from identity_links as sharer
                where sharer.kind = held.kind and sharer.value = held.value
                limit :max_sharers + 1
            ) as bounded
        ) as few
        where sharers <= :max_sharers
        union all
        select sharer.player_id from near join identity_links as sharer
            on sharer.kind = held.kind and sharer.value = held.value
            and sharer.player_id = near.referee_id
        where held.kind = 'device_id'
    ) as other
    join near on near.referee_id = other.player_id
    where other.player_id not in (:referrer, :referee)
    group by held.kind
""")
# Changes whenever a fact of the pair that evidence rests on is recorded, or a cluster changes.
# Wagers are left out: they come by the thousand, and one more decides nothing.
_MARKER: Final = text("""
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
""")


async def load_marker(session: ReadSession, referral: ReferralRow) -> str:
    """Return a text that stays the same as long as gathered evidence is current."""
    pair = {"referrer": referral.referrer_id, "referee": referral.referee_id}
    marker: str = (await session.execute(_MARKER, pair)).scalar_one()
    return marker


async def load_snapshot(
    session: ReadSession, referral: ReferralRow, *, deposit_event_id: str
) -> Snapshot:
    """Return the recorded evidence about a pair; the caller adds the fraud providers' answers."""
    referee_id = referral.referee_id or ""
    pair: dict[str, Any] = {
        "referral_id": referral.id,
        "referrer": referral.referrer_id,
        "referee": referee_id,
        "code": referral.code,
        "campaign_id": referral.campaign_id,
        "invited_at": referral.invited_at,
    }
    terms = terms_of(referral)
    signed_up_at = referral.signed_up_at or referral.invited_at
    links = await load_pair_links(session, referrer_id=referral.referrer_id, referee_id=referee_id)
    conduct = await load_conduct(
        session,
        pair,
        deposit_event_id=deposit_event_id,
        signed_up_at=signed_up_at,
        minimum=terms.minimum_deposit,
    )
    velocities, variation_percent = await load_velocities(session, pair, at=signed_up_at)
    record = await load_record(
        session,
        pair,
        account_age_s=age_s(conduct.referrer_signed_up_at, signed_up_at),
        has_deposited=conduct.referrer_has_deposited,
        spacing_variation_percent=variation_percent,
    )
    return Snapshot(
        same_player=referral.referrer_id == referee_id,
        known=conduct.known,
        requires=terms.requires,
        links=_links(links, await _siblings(session, pair)),
        cluster=_cluster(links),
        has_similar_name=links.similar_name,
        has_similar_mailbox=links.similar_mailbox,
        velocities=velocities,
        behaviour=conduct.behaviour,
        origin=conduct.origin,
        referrer=record,
        sample_point=sample_point(referral.id),
    )


def sample_point(referral_id: UUID) -> int:
    """Return the place of a referral among 10,000, by which the sample to be reviewed is drawn."""
    return derived_id(referral_id, "sample").int % SAMPLE_POINTS


async def _siblings(session: ReadSession, pair: Mapping[str, Any]) -> dict[str, int]:
    values = {**pair, "max_values": MAX_VALUES, "max_sharers": MAX_SHARERS}
    values["max_near"] = MAX_NEAR
    rows = await session.execute(_SIBLINGS, values)
    return {row.kind: row.siblings for row in rows}


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
