"""Referrals that still wait for something, from which an empty Temporal is rebuilt."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select

from db.engine import ReadSession
from db.tables import Delivery, ReferralRow
from domain.intake.facts import FactKind
from domain.lifecycle.referral import CREDITED_STAGES, OPEN_STAGES, Referral, Stage
from referrals.lifecycle.stages import workflow_input_of


async def waiting_referrals(
    session: ReadSession,
    *,
    now: datetime,
    after: UUID | None,
    limit: int,
    only: Collection[UUID] | None = None,
) -> tuple[Referral, ...]:
    """Return up to `limit` waiting referrals behind the id `after`, in the order of their ids.

    With `only`, those of these ids.
    """
    waits = or_(
        ReferralRow.stage.in_(OPEN_STAGES),
        and_(ReferralRow.stage == Stage.REVERSED, ReferralRow.until > now),
        # Its workflow may have received the chargeback and been lost before it acted.
        and_(ReferralRow.stage.in_(CREDITED_STAGES), _has_attempted_chargeback()),
    )
    query = select(ReferralRow).where(waits)
    if only is not None:
        query = query.where(ReferralRow.id.in_(only))
    if after is not None:
        query = query.where(ReferralRow.id > after)
    rows = await session.scalars(query.order_by(ReferralRow.id).limit(limit))
    return tuple(workflow_input_of(row) for row in rows)


def _has_attempted_chargeback() -> ColumnElement[bool]:
    return exists().where(
        Delivery.referral_id == ReferralRow.id,
        Delivery.kind == FactKind.CHARGEBACK,
        Delivery.attempts > 0,
    )
