"""The outbox: events for Kafka, in the columns that Debezium's EventRouter expects."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Identity, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table


class OutboxRow(Table):
    """One event; insert-only.

    `xid` (xid8) is added by the migration: the writing transaction, or the newest one whose end
    its statement could see. (epoch, xid, seq) is the row's position, see db/outbox_reader.py.
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
    epoch: Mapped[int] = mapped_column(server_default=text("outbox_epoch()"))
    """The cluster whose transactions `xid` counts: its system identifier; 0 before release 0.3."""
    __table_args__ = (Index("ix_outbox_aggregate", "aggregateid"),)


class OutboxReaderRow(Table):
    """One named reader of the outbox, leased by the process that reads."""

    __tablename__ = "outbox_readers"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[UUID]
    leased_until: Mapped[datetime]


class OutboxCursorRow(Table):
    """The place of a reader in one epoch; `xid` (xid8) is added by the migration."""

    __tablename__ = "outbox_cursors"
    name: Mapped[str] = mapped_column(
        String(64), ForeignKey("outbox_readers.name"), primary_key=True
    )
    epoch: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    advanced_at: Mapped[datetime] = mapped_column(server_default=NOW)
