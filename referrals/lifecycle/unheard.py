"""Referrals, open or credited, that did not change by what was delivered to their workflow."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import exists, func, select

from db.engine import ReadSession
from db.tables import Delivery, ReferralRow, TimelineRow
from domain.intake.facts import FactKind
from domain.lifecycle.referral import CREDITED_STAGES, OPEN_STAGES, Referral
from domain.lifecycle.signals import INVITATION
from referrals.lifecycle.id_arrays import each_of
from referrals.lifecycle.stages import workflow_input_of

WITHIN: Final = timedelta(minutes=5)
"""Age of a delivery up to which it is looked at."""


async def unheard_referrals(
    session: ReadSession, *, grace: timedelta, excluding: Collection[UUID], limit: int
) -> tuple[Referral, ...]:
    """Return up to `limit` of them but those in `excluding`, the oldest deliveries first.

    A chargeback of a settled reward is heard by a run of its own, which may be lost like any other.
    Most are right: a small deposit changes nothing. `grace` is what a worker may take.
    """
    carried = (
        select(Delivery.referral_id, func.min(Delivery.id).label("first"))
        .where(
            Delivery.created_at > func.now() - WITHIN,
            Delivery.acknowledged_at < func.now() - grace,
            Delivery.attempts > 0,
            Delivery.kind.not_in((INVITATION, FactKind.SIGNUP)),
            ~exists().where(
                TimelineRow.referral_id == Delivery.referral_id,
                TimelineRow.recorded_at >= Delivery.created_at,
            ),
        )
        .group_by(Delivery.referral_id)
        .subquery()
    )
    query = (
        select(ReferralRow)
        .join(carried, carried.c.referral_id == ReferralRow.id)
        .where(
            ReferralRow.stage.in_(OPEN_STAGES | CREDITED_STAGES),
            ReferralRow.id.not_in(each_of(excluding)),
        )
        .order_by(carried.c.first)
        .limit(limit)
    )
    return tuple(workflow_input_of(row) for row in await session.scalars(query))
