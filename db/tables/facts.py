"""What was heard from outside, on its way in, and what is told to the outside."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table
from domain.intake.facts import Kind


class FactRow(Table):
    """What happened outside, once; insert-only."""

    __tablename__ = "facts"
    kind: Mapped[Kind] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    player_id: Mapped[str] = mapped_column(String(64))
    """Whose fact it is; of a decision, the referee of its referral."""
    occurred_at: Mapped[datetime]
    body: Mapped[dict[str, Any]]
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the normalised content: the same id with other content is refused."""
    door: Mapped[str] = mapped_column(String(16))
    heard_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        Index("ix_facts_player", "player_id", "kind"),
        Index(
            "ix_facts_signup_device",
            text("(body ->> 'device_id')"),
            postgresql_where=text("kind = 'signup'"),
        ),
    )


class Inbox(Table):
    """Facts that the courier has not looked at yet; a row goes when its fact is routed."""

    __tablename__ = "inbox"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    player_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[Kind]
    event_id: Mapped[str] = mapped_column(String(80))
    heard_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_inbox_player", "player_id"),)


class Delivery(Table):
    """A fact of a bound player on its way to a referral's workflow.

    `kind` may also be 'invitation' (start it) or 'look' (something of ours changed). Without a
    `signal` it only starts the workflow; with `acknowledged_at` at birth nothing needs to hear it.
    """

    __tablename__ = "deliveries"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    kind: Mapped[str] = mapped_column(String(16))
    event_id: Mapped[str] = mapped_column(String(80))
    signal: Mapped[str | None] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=NOW)
    acknowledged_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        UniqueConstraint("referral_id", "kind", "event_id"),
        Index(
            "ix_deliveries_due",
            "next_attempt_at",
            "id",
            postgresql_where=text("acknowledged_at is null"),
        ),
        Index("ix_deliveries_lane", "kind", "id", postgresql_where=text("acknowledged_at is null")),
    )


class Outbox(Table):
    """Events for Kafka, in the columns that Debezium's EventRouter expects; insert-only.

    `xid` (xid8, the writing transaction) is added by the migration, for the relay's cursor.
    """

    __tablename__ = "outbox"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    aggregatetype: Mapped[str] = mapped_column(String(255))
    aggregateid: Mapped[str] = mapped_column(String(255))
    type: Mapped[str] = mapped_column(String(255))
    payload: Mapped[dict[str, Any]]
    headers: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    schema_version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    seq: Mapped[int] = mapped_column(Identity(always=True))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_outbox_aggregate", "aggregateid"),)
