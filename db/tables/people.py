"""Players, and those who may ask: keys and what was done with them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Identity,
    Index,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table


class Player(Table):
    """One row a player: the lock under which everything about that player is decided."""

    __tablename__ = "players"
    player_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    first_heard_at: Mapped[datetime] = mapped_column(server_default=NOW)


class ApiKey(Table):
    __tablename__ = "api_keys"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner: Mapped[str]
    scopes: Mapped[list[str]]
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    revoked_at: Mapped[datetime | None]


class Audit(Table):
    """What a person or an operator did, and why; insert-only."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    reason: Mapped[str]
    request_id: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_audit_subject", "subject"),)
