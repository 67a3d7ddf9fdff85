"""Views of holds: the open ones of referrals, and every one that a referral ever had."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import HoldRow
from domain.rewards.holds import HoldReason


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldView:
    """One reason why rewards are not credited yet; null ids for a hold that 0.2 began."""

    hold_id: UUID | None = None
    attempt: int = 1
    reason: HoldReason
    detail: tuple[str, ...] = ()
    since: datetime
    until: datetime | None
    cleared_at: datetime | None = None
    cleared_by: str | None = None


async def open_holds_by_referral(
    session: ReadSession, referral_ids: Collection[UUID]
) -> dict[UUID, tuple[HoldView, ...]]:
    """Return the open holds of each referral that has any, oldest first."""
    if not referral_ids:
        return {}
    rows = await session.scalars(
        select(HoldRow)
        .where(HoldRow.referral_id.in_(referral_ids), HoldRow.cleared_at.is_(None))
        .order_by(HoldRow.since, HoldRow.reason)
    )
    found: dict[UUID, list[HoldView]] = defaultdict(list)
    for row in rows:
        found[row.referral_id].append(_view(row))
    return {referral_id: tuple(views) for referral_id, views in found.items()}


async def holds_of_referral(
    session: ReadSession, referral_id: UUID, *, limit: int
) -> Sequence[HoldView]:
    """Return a referral's holds, cleared ones too, oldest first."""
    query = select(HoldRow).where(HoldRow.referral_id == referral_id)
    rows = await session.scalars(query.order_by(HoldRow.since, HoldRow.reason).limit(limit))
    return [_view(row) for row in rows]


def _view(row: HoldRow) -> HoldView:
    return HoldView(
        hold_id=row.id,
        attempt=row.attempt,
        reason=row.reason,
        detail=tuple(row.detail),
        since=row.since,
        until=row.until,
        cleared_at=row.cleared_at,
        cleared_by=row.cleared_by,
    )
