"""Deliveries to the workflows of cases: enqueued without a lock, repeated until acknowledged."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, literal, literal_column, select, text, update

from db.engine import Session
from db.tables import CaseDelivery, CaseRow
from domain.fraud.cases import CaseStatus

# The first in the order of its index: `exists` would do with any row, and a plan that was made
# while many waited would look for one among all that were ever there.
IS_DUE: Final = text("""
    select (select next_attempt_at <= clock_timestamp() from case_deliveries
             where acknowledged_at is null order by next_attempt_at limit 1)
""")
"""Query whether a workflow has to hear of its case."""
_NOW: Final[ColumnElement[datetime]] = literal_column("clock_timestamp()")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedCase:
    """A case of which its workflow has to hear; no other courier sends it until the lease ends."""

    case_id: UUID
    delivery_ids: tuple[int, ...]
    """All that is due: one look at the case serves them together."""
    attempts: int


async def enqueue(session: Session, case_ids: Collection[UUID]) -> None:
    """Let the workflows of these cases look at them."""
    if case_ids:
        values = [{"case_id": case_id} for case_id in sorted(set(case_ids))]
        await session.execute(insert(CaseDelivery), values)


async def enqueue_open(session: Session) -> None:
    """Let the workflows of all open cases look at them, as after the loss of Temporal."""
    open_ones = select(CaseRow.id).where(CaseRow.status == CaseStatus.OPEN)
    await session.execute(insert(CaseDelivery).from_select(["case_id"], open_ones))


async def lease(session: Session, *, limit: int, lasting: timedelta) -> Sequence[LeasedCase]:
    """Lease up to `limit` due deliveries, those that wait longest first."""
    due = (
        select(CaseDelivery.id)
        .where(CaseDelivery.acknowledged_at.is_(None), CaseDelivery.next_attempt_at <= _NOW)
        .order_by(CaseDelivery.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = await session.scalars(
        update(CaseDelivery)
        .where(CaseDelivery.id.in_(select(due.c.id)))
        .values(next_attempt_at=_NOW + lasting, attempts=CaseDelivery.attempts + 1)
        .returning(CaseDelivery)
        .execution_options(synchronize_session=False)
    )
    by_case: defaultdict[UUID, list[CaseDelivery]] = defaultdict(list)
    for row in rows:
        by_case[row.case_id].append(row)
    return [
        LeasedCase(
            case_id=case_id,
            delivery_ids=tuple(row.id for row in found),
            attempts=max(row.attempts for row in found),
        )
        for case_id, found in by_case.items()
    ]


async def acknowledge(session: Session, delivery_ids: Collection[int]) -> None:
    await session.execute(
        update(CaseDelivery).where(CaseDelivery.id.in_(delivery_ids)).values(acknowledged_at=_NOW)
    )


async def reschedule(session: Session, delivery_ids: Collection[int], *, delay_s: float) -> None:
    """Make deliveries that failed due again after a delay."""
    due_at = _NOW + func.make_interval(0, 0, 0, 0, 0, 0, literal(delay_s))
    await session.execute(
        update(CaseDelivery).where(CaseDelivery.id.in_(delivery_ids)).values(next_attempt_at=due_at)
    )
