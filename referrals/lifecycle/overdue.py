"""Open referrals whose deadline has passed and that nothing woke: their workflows are lost."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select

from db.engine import ReadSession
from db.tables import ReferralRow
from domain.lifecycle.referral import OPEN_STAGES, Referral
from referrals.lifecycle.id_arrays import each_of
from referrals.lifecycle.stages import workflow_input_of


async def count_overdue(session: ReadSession, *, grace: timedelta) -> int:
    """Return how many open referrals are past their deadline by more than `grace`."""
    counted = await session.execute(
        select(func.count()).select_from(ReferralRow).where(_is_overdue(grace))
    )
    return counted.scalar_one()


async def overdue_referrals(
    session: ReadSession, *, grace: timedelta, excluding: Collection[UUID], limit: int
) -> tuple[Referral, ...]:
    """Return up to `limit` of them, the longest overdue first, but those in `excluding`."""
    query = (
        select(ReferralRow)
        .where(_is_overdue(grace), ReferralRow.id.not_in(each_of(excluding)))
        .order_by(ReferralRow.until, ReferralRow.id)
        .limit(limit)
    )
    return tuple(workflow_input_of(row) for row in await session.scalars(query))


def _is_overdue(grace: timedelta) -> ColumnElement[bool]:
    return and_(ReferralRow.stage.in_(OPEN_STAGES), ReferralRow.until < func.now() - grace)
