"""Late links: follow-up of players whom a hard link joined after their referrals were judged."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select, text

from db.engine import Session
from db.tables import ClusterMerge, PlayerCluster, ReferralRow
from domain.lifecycle.referral import Stage
from referrals.fraud.cases import open_late_link
from referrals.lifecycle import deliveries

WAITING_STAGES: Final = (Stage.HELD, Stage.DEFERRED)
PAID_STAGES: Final = (Stage.REWARDED, Stage.SETTLED)
_JUDGED_STAGES: Final = (Stage.SIGNED_UP, *PAID_STAGES)
"""Stages of referrals that were judged, or are being judged now, without the link."""
MAX_REFERRALS: Final = 1000
"""Referrals looked at for one merge. Those beyond are scored again before their release anyway."""


# The first in the order of its index: `exists` would do with any row, and a plan that was made
# while many waited would look for one among all that were ever there.
IS_WAITING: Final = text("""
    select (select true from cluster_merges
             where followed_at is null order by merged_at, id limit 1)
""")
"""Query whether there is a merge to follow."""


async def follow_next(session: Session) -> bool:
    """Follow the oldest merge that nobody has followed, and return whether there was one.

    Runs after the merge's own transaction: an act that did not see the link has ended once the
    referral's lock is free, and each act from then on sees it. Held referrals get a delivery, so
    that they are scored again; a case is asked for about paid ones, which keep their money.
    """
    merge = await session.scalar(
        select(ClusterMerge)
        .where(ClusterMerge.followed_at.is_(None))
        .order_by(ClusterMerge.merged_at, ClusterMerge.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if merge is None:
        return False
    await _follow(session, merge, await _members(session, merge))
    merge.followed_at = await session.scalar(select(func.clock_timestamp()))
    return True


async def _members(session: Session, merge: ClusterMerge) -> list[str]:
    """Return the players of the cluster as it is now: it may have changed since."""
    cluster = (
        select(PlayerCluster.cluster_id)
        .where(PlayerCluster.player_id == merge.player_id)
        .scalar_subquery()
    )
    query = select(PlayerCluster.player_id).where(PlayerCluster.cluster_id == cluster)
    return [*await session.scalars(query.limit(MAX_REFERRALS))]


async def _follow(session: Session, merge: ClusterMerge, members: Collection[str]) -> None:
    for referral_id in await _affected(session, moved=merge.moved, members=members):
        stage = await _settled_stage(session, referral_id)
        if stage in WAITING_STAGES:
            await deliveries.enqueue(session, referral_id, deliveries.of_merge(merge.id))
        elif stage in PAID_STAGES:
            await open_late_link(
                session, referral_id, kinds=merge.kinds, at=merge.merged_at, source=str(merge.id)
            )


async def _affected(
    session: Session, *, moved: Collection[str], members: Collection[str]
) -> list[UUID]:
    """Return the referrals that the merge may change, in the order in which they are locked.

    Those are the waiting ones of every player of the cluster, and the other ones that brought a
    player who moved, or that a player who moved made to bring another one of the cluster.
    """
    referee, referrer, stage = ReferralRow.referee_id, ReferralRow.referrer_id, ReferralRow.stage
    brought = _ids(and_(referee.in_(members), stage != Stage.LOST))
    brought = brought.where(
        stage.in_(WAITING_STAGES)
        | and_(stage.in_(_JUDGED_STAGES), referee.in_(moved) | referrer.in_(moved))
    )
    waiting = _ids(and_(referrer.in_(members), stage.in_(WAITING_STAGES)))
    return sorted({*await session.scalars(brought), *await session.scalars(waiting)})


def _ids(condition: ColumnElement[bool]) -> Select[UUID]:
    return select(ReferralRow.id).where(condition).limit(MAX_REFERRALS)


async def _settled_stage(session: Session, referral_id: UUID) -> Stage | None:
    """Lock a referral, which waits for an act that is under way, and return its stage."""
    query = select(ReferralRow.stage).where(ReferralRow.id == referral_id)
    return await session.scalar(query.with_for_update(key_share=True))
