"""Payment orders of a referral: written with the act that needs them, cancelled, and booked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from db import notifications
from db.engine import ReadSession, Session
from db.tables import PaymentOrderRow
from db.wakes import wake_after_commit
from domain.money import Money
from domain.wallet.orders import OrderKind, OrderStatus, order_id

NOW: Final[ColumnElement[datetime]] = literal_column("clock_timestamp()")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """A payment order to be written; the caller holds the player's lock."""

    player_id: str
    referral_id: UUID
    reward_id: UUID
    kind: OrderKind
    cycle: int
    attempt: int
    reason: str
    gross: Money
    review_id: UUID | None = None

    @property
    def id(self) -> UUID:
        return order_id(self.reward_id, self.kind, cycle=self.cycle, attempt=self.attempt)


async def orders_of_referral(session: ReadSession, referral_id: UUID) -> Sequence[PaymentOrderRow]:
    """Return a referral's payment orders, in the order in which they were written."""
    query = select(PaymentOrderRow).where(PaymentOrderRow.referral_id == referral_id)
    rows = await session.scalars(
        query.order_by(PaymentOrderRow.seq).execution_options(populate_existing=True)
    )
    return rows.all()


async def write(session: Session, *new: NewOrder) -> None:
    """Write payment orders; the courier finds them after the commit. Known ones stay."""
    if new:
        statement = insert(PaymentOrderRow).values([_values(order) for order in new])
        await session.execute(statement.on_conflict_do_nothing(index_elements=["id"]))
        wake_after_commit(session, notifications.PAYMENTS)


async def cancel(session: Session, ids: Collection[UUID]) -> bool:
    """Cancel pending orders, all or none; return False when one of them was or is being sent."""
    query = select(PaymentOrderRow).where(PaymentOrderRow.id.in_(ids))
    locked = query.order_by(PaymentOrderRow.seq).with_for_update()
    rows = (await session.scalars(locked.execution_options(populate_existing=True))).all()
    if any(row.status is not OrderStatus.PENDING or row.attempts for row in rows):
        return False
    await session.execute(
        update(PaymentOrderRow)
        .where(PaymentOrderRow.id.in_(ids))
        .values(status=OrderStatus.CANCELLED, resolved_at=NOW)
    )
    return True


async def mark_booked(session: Session, ids: Collection[UUID]) -> None:
    """Note that the ledger has posted what the wallet had posted for these orders."""
    await session.execute(
        update(PaymentOrderRow)
        .where(PaymentOrderRow.id.in_(ids), PaymentOrderRow.booked_at.is_(None))
        .values(booked_at=NOW)
    )


def _values(order: NewOrder) -> dict[str, object]:
    return {
        "id": order.id,
        "player_id": order.player_id,
        "referral_id": order.referral_id,
        "reward_id": order.reward_id,
        "kind": order.kind,
        "cycle": order.cycle,
        "attempt": order.attempt,
        "reason": order.reason,
        "gross_minor": order.gross.minor,
        "currency": order.gross.currency,
        "review_id": order.review_id,
    }
