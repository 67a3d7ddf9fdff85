"""Payment orders to the wallet that holds the players' balances."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table
from domain.wallet.orders import OrderKind, OrderStatus


class PaymentOrderRow(Table):
    """One order; its id is its reference. Only what became of it changes."""

    __tablename__ = "payment_orders"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(Identity(always=True), unique=True)
    """The orders of one player are executed in this order."""
    player_id: Mapped[str] = mapped_column(String(64))
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    reward_id: Mapped[UUID] = mapped_column(ForeignKey("rewards.id"))
    kind: Mapped[OrderKind]
    cycle: Mapped[int] = mapped_column(Integer)
    """Number of adjustments of the reward before it."""
    attempt: Mapped[int] = mapped_column(Integer)
    """Number among the orders of its reward, kind and cycle, from 1."""
    reason: Mapped[str] = mapped_column(String(64))
    gross_minor: Mapped[int]
    """The part of the reward that it is about; a credit goes net of what its player owes."""
    currency: Mapped[str] = mapped_column(String(3))
    review_id: Mapped[UUID | None]
    """The approval that let a refused payment be tried again."""
    status: Mapped[OrderStatus] = mapped_column(server_default=text("'pending'"))
    amount_minor: Mapped[int | None]
    """The amount asked for; fixed before the first call, and the same in each."""
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Number of leases; one that was never leased was never sent."""
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=NOW)
    fault: Mapped[str | None]
    """The reason why the last call had no certain answer."""
    posted_minor: Mapped[int | None]
    refusal: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    resolved_at: Mapped[datetime | None]
    booked_at: Mapped[datetime | None]
    """Time at which the ledger posted what the wallet had posted."""
    __table_args__ = (
        CheckConstraint("gross_minor >= 0", name="positive"),
        CheckConstraint("(status = 'posted') = (posted_minor is not null)", name="posted"),
        CheckConstraint("(status = 'refused') = (refusal is not null)", name="refused"),
        CheckConstraint("(status = 'pending') = (resolved_at is null)", name="resolved"),
        CheckConstraint("posted_minor between 0 and amount_minor", name="posted_amount"),
        CheckConstraint("amount_minor between 0 and gross_minor", name="amount"),
        CheckConstraint("booked_at is null or status = 'posted'", name="booked"),
        Index("ix_payment_orders_referral", "referral_id"),
        Index(
            "ix_payment_orders_pending",
            "player_id",
            "seq",
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_payment_orders_due",
            "next_attempt_at",
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_payment_orders_unbooked",
            "player_id",
            postgresql_where=text("status = 'posted' and booked_at is null"),
        ),
        Index("ix_payment_orders_resolved", "resolved_at"),
    )
