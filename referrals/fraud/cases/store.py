"""Stored cases: locked, and asked for the reviews and the players that they are about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, text

from db.engine import ReadSession, Session
from db.tables import CaseRow, Review
from domain.fraud.cases import CaseStanding, CaseStart, CaseStatus
from domain.people import is_same_person

OPEN_REVIEW: Final = "open"

_REFERRED: Final = text("""
    select player_id from case_referrals join referrals on referrals.id = referral_id
    cross join unnest(array[referrer_id, referee_id]) as player_id
    where case_id = :case_id and player_id is not null
""")
_PLAYERS: Final = text("""
    with pairs as (
        select unnest(array[referrer_id, referee_id]) as player_id
        from case_referrals join referrals on referrals.id = referral_id
        where case_id = :case_id
    )
    select player_id from pairs where player_id is not null
    union
    select other.player_id
    from pairs join player_clusters own using (player_id)
    join player_clusters other on other.cluster_id = own.cluster_id
""")


async def lock_case(session: Session, case_id: UUID) -> CaseRow | None:
    """Lock a case until the transaction ends.

    A case is locked after referrals and accounts, and before its reviews.
    """
    query = select(CaseRow).where(CaseRow.id == case_id).with_for_update(key_share=True)
    return await session.scalar(query.execution_options(populate_existing=True))


async def lock_open_reviews(session: Session, case: CaseRow) -> Sequence[Review]:
    """Lock the reviews that a case can still decide, in the order of their ids."""
    query = (
        select(Review)
        .where(Review.case_id == case.id, Review.status == OPEN_REVIEW)
        .order_by(Review.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query)).all()


def status_of(case: CaseRow, *, now: datetime) -> CaseStatus:
    """Return the status as it is shown: an open case with a lease is claimed."""
    if case.status == CaseStatus.OPEN and holder_of(case, now=now):
        return CaseStatus.CLAIMED
    return CaseStatus(case.status)


def holder_of(case: CaseRow, *, now: datetime) -> str | None:
    """Return the person who holds the lease of a case, unless it has ended."""
    if case.claimed_until is None or case.claimed_until <= now:
        return None
    return case.claimed_by


def has_status(status: CaseStatus, *, now: datetime) -> ColumnElement[bool]:
    """Return the condition of a status as it is shown."""
    is_claimed = CaseRow.claimed_until > now
    if status is CaseStatus.CLAIMED:
        return and_(CaseRow.status == CaseStatus.OPEN, is_claimed)
    if status is CaseStatus.OPEN:
        unclaimed = or_(CaseRow.claimed_until.is_(None), ~is_claimed)
        return and_(CaseRow.status == CaseStatus.OPEN, unclaimed)
    return CaseRow.status == status


def standing_of(case: CaseRow) -> CaseStanding:
    """Return the standing that a workflow sees, to which a lease does not matter."""
    return CaseStanding(
        status=CaseStatus(case.status), due_at=case.due_at, escalated_at=case.escalated_at
    )


async def load_start(session: ReadSession, case_id: UUID) -> CaseStart:
    """Return the input with which the workflow of a case begins now."""
    case = await session.get_one(CaseRow, case_id)
    return CaseStart(
        case_id=case.id,
        kind=case.kind,
        subject_kind=case.subject_kind,
        subject=case.subject,
        standing=standing_of(case),
    )


async def referred_players(session: ReadSession, case: CaseRow) -> frozenset[str]:
    """Return both sides of each referral of a case."""
    return frozenset(await session.scalars(_REFERRED, {"case_id": case.id}))


async def players_of(session: ReadSession, case: CaseRow) -> frozenset[str]:
    """Return the players of a case: both sides of each referral, and their clusters."""
    return frozenset(await session.scalars(_PLAYERS, {"case_id": case.id}))


async def is_player_of(session: ReadSession, case: CaseRow, name: str) -> bool:
    """Return whether a person's name is the id of a player of the case, however it is spelled."""
    return any(is_same_person(player, name) for player in await players_of(session, case))
