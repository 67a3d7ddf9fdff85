"""Webhooks: endpoints, the secrets that sign for them, and deliveries of events to them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table

_IS_PENDING = text("status = 'pending'")


class WebhookRow(Table):
    """One endpoint. A deleted one stays, without secrets, for the deliveries that name it."""

    __tablename__ = "webhooks"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    url: Mapped[str]
    types: Mapped[list[str]]
    owner: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    active_since: Mapped[datetime] = mapped_column(server_default=NOW)
    """Events written before it are not delivered: it moves when the webhook is enabled again."""
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None] = mapped_column(String(16))
    deleted_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Attempts since the last success."""
    failing_since: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]
    """Asked for by the endpoint, in `Retry-After`."""
    __table_args__ = (
        CheckConstraint("(disabled_at is null) = (disabled_reason is null)", name="disabled"),
        CheckConstraint("(failures = 0) = (failing_since is null)", name="failing"),
        CheckConstraint("cardinality(types) > 0", name="types"),
    )


class WebhookSecret(Table):
    """A secret's id, from which the service's key derives it: the secret itself is not stored."""

    __tablename__ = "webhook_secrets"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id"))
    key_id: Mapped[str] = mapped_column(String(16))
    """Fingerprint of the service's key: under another one the secret would be another."""
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    valid_until: Mapped[datetime | None]
    """Null for the current one."""
    __table_args__ = (
        Index(
            "uq_webhook_secrets_current",
            "webhook_id",
            unique=True,
            postgresql_where=text("valid_until is null"),
        ),
        Index("ix_webhook_secrets_webhook", "webhook_id"),
    )


class WebhookDelivery(Table):
    """One event for one endpoint, with the last attempt's result."""

    __tablename__ = "webhook_deliveries"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id"))
    event_id: Mapped[UUID]
    type: Mapped[str] = mapped_column(String(255))
    key: Mapped[str] = mapped_column(String(255))
    """The event's key on its topic: attempts of one key do not overlap."""
    seq: Mapped[int] = mapped_column(Identity(always=True))
    """The order of events."""
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    status: Mapped[str] = mapped_column(String(16), server_default=text("'pending'"))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Attempts begun, those that no result is known of too."""
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Failed attempts since `due_since`; the backoff grows with them."""
    due_since: Mapped[datetime] = mapped_column(server_default=NOW)
    """The time at which it was written, or asked for again."""
    next_attempt_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    """An attempt is under way until then, at most."""
    last_attempt_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    last_status: Mapped[int | None] = mapped_column(SmallInteger)
    last_error: Mapped[str | None] = mapped_column(String(32))
    __table_args__ = (
        CheckConstraint("status in ('pending', 'delivered', 'failed')", name="status"),
        CheckConstraint("(status = 'pending') = (finished_at is null)", name="finished"),
        Index("uq_webhook_deliveries_event", "webhook_id", "event_id", unique=True),
        Index(
            "ix_webhook_deliveries_due",
            "webhook_id",
            "next_attempt_at",
            "seq",
            postgresql_where=_IS_PENDING,
        ),
        Index(
            "ix_webhook_deliveries_key", "webhook_id", "key", "seq", postgresql_where=_IS_PENDING
        ),
        Index(
            "ix_webhook_deliveries_leased",
            "webhook_id",
            "leased_until",
            postgresql_where=text("leased_until is not null"),
        ),
        Index("ix_webhook_deliveries_listed", "webhook_id", "created_at", "id"),
        Index(
            "ix_webhook_deliveries_finished",
            "finished_at",
            postgresql_where=text("finished_at is not null"),
        ),
    )
