"""The outbox: events for Kafka, in the columns that Debezium's EventRouter expects."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Identity, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table


class OutboxRow(Table):
    """One event; insert-only.

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
