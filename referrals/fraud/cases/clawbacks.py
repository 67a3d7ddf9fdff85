"""Clawbacks: a reviewer's rejection of credited referrals, of which nothing is due any more."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from db.engine import ReadSession, Session
from db.tables import CaseReferral, CaseRow, Clawback, ReferralRow, Reward
from domain.fraud.cases import CaseKind
from domain.lifecycle.referral import CREDITED_STAGES
from domain.rewards.reward import RewardStatus
from referrals.access.audit import Actor
from referrals.lifecycle import deliveries


def takes_back(case: CaseRow) -> bool:
    """Return whether a rejection of the case takes credited rewards back.

    A sample only measures: who is drawn by chance loses nothing by it.
    """
    return case.kind is CaseKind.LATE_LINK


async def is_clawed_back(session: ReadSession, referral_id: UUID) -> bool:
    return await find_case(session, referral_id) is not None


async def find_case(session: ReadSession, referral_id: UUID) -> UUID | None:
    """Return the case whose rejection took a referral's rewards back."""
    return await session.scalar(select(Clawback.case_id).where(Clawback.referral_id == referral_id))


async def load_credited(session: ReadSession, case: CaseRow) -> Sequence[Reward]:
    """Return the rewards of a case that stand credited, in the order of their ids."""
    query = (
        select(Reward)
        .join(CaseReferral, CaseReferral.referral_id == Reward.referral_id)
        .where(CaseReferral.case_id == case.id, Reward.status == RewardStatus.ISSUED)
        .order_by(Reward.id)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query)).unique().all()


async def record(session: Session, case: CaseRow, actor: Actor, *, at: datetime) -> list[UUID]:
    """Record that nothing of a case's credited referrals is due, and wake their workflows.

    The acts take the money back, as after a chargeback: once, whatever comes before or after it.
    Returns the referrals; one that an earlier case took back is not among them.
    """
    credited = (
        select(ReferralRow.id)
        .join(CaseReferral, CaseReferral.referral_id == ReferralRow.id)
        .where(CaseReferral.case_id == case.id, ReferralRow.stage.in_(CREDITED_STAGES))
        .distinct()
        .order_by(ReferralRow.id)
    )
    found = [*await session.scalars(credited)]
    if not found:
        return []
    values = [
        {
            "referral_id": referral_id,
            "case_id": case.id,
            "decided_by": actor.name,
            "reason": actor.reason,
            "at": at,
        }
        for referral_id in found
    ]
    statement = insert(Clawback).on_conflict_do_nothing().returning(Clawback.referral_id)
    taken = sorted(await session.scalars(statement, values))
    for referral_id in taken:
        await deliveries.enqueue(session, referral_id, deliveries.of_clawback(case.id))
    return taken
