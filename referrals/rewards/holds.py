"""Holds as rows: opened and cleared so that the open ones are what the referral waits for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import insert, select

from db.engine import ReadSession, Session
from db.tables import HoldRow
from domain.rewards.holds import Hold, HoldReason

BY_FACTS: Final = "facts"
"""The name recorded for a hold that an event or the time cleared."""


async def open_holds(session: ReadSession, referral_id: UUID) -> Sequence[HoldRow]:
    query = select(HoldRow).where(HoldRow.referral_id == referral_id, HoldRow.cleared_at.is_(None))
    return (await session.scalars(query.order_by(HoldRow.reason))).all()


async def set_holds(
    session: Session,
    referral_id: UUID,
    wanted: Sequence[Hold],
    *,
    attempt: int,
    at: datetime,
    cleared_by: Mapping[HoldReason, str] | None = None,
) -> None:
    """Make `wanted` the open holds of a locked referral: clear the others, open those missing.

    A hold of an earlier attempt is never kept. `cleared_by` names the people who cleared holds.
    """
    missing = {hold.reason: hold for hold in wanted}
    rows = await _all_holds(session, referral_id)
    for row in rows:
        if row.cleared_at is not None:
            continue
        hold = missing.get(row.reason)
        if hold is None or row.attempt != attempt:
            row.cleared_at = at
            row.cleared_by = (cleared_by or {}).get(row.reason, BY_FACTS)
            continue
        row.until, row.detail = hold.until, list(hold.detail)
        del missing[row.reason]
    await session.flush()
    if missing:
        await session.execute(
            insert(HoldRow),
            [
                _values(referral_id, hold, attempt=attempt, number=number)
                for number, hold in enumerate(missing.values(), len(rows) + 1)
            ],
        )


async def _all_holds(session: ReadSession, referral_id: UUID) -> Sequence[HoldRow]:
    query = select(HoldRow).where(HoldRow.referral_id == referral_id)
    return (await session.scalars(query.order_by(HoldRow.reason))).all()


def _values(referral_id: UUID, hold: Hold, *, attempt: int, number: int) -> dict[str, object]:
    return {
        "id": uuid5(referral_id, f"hold:{number}"),
        "referral_id": referral_id,
        "attempt": attempt,
        "reason": hold.reason,
        "detail": list(hold.detail),
        "since": hold.since,
        "until": hold.until,
    }
