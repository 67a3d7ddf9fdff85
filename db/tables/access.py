"""API keys, people, their approvals, the audit of what they did, and rate limits."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table


class ApiKey(Table):
    __tablename__ = "api_keys"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner: Mapped[str]
    scopes: Mapped[list[str]]
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    source: Mapped[str | None] = mapped_column(String(15))
    """Source of the events that it reports; null is the default one."""
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    revoked_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id"), unique=True)
    replaces_at: Mapped[datetime | None]
    """End of the key that this one replaces."""
    __table_args__ = (
        CheckConstraint("(replaces IS NULL) = (replaces_at IS NULL)", name="replaces_at"),
    )


class AuditRow(Table):
    """An action of a person, with the reason given; insert-only."""

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


class PersonRow(Table):
    """A person who signs in or approves, by any door; insert-only."""

    __tablename__ = "people"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    """Derived from the normalised name."""
    person: Mapped[str] = mapped_column(unique=True)
    """Normalised name: one for all spellings."""
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class ApprovalRow(Table):
    """A person's approval of what needs a second person; insert-only."""

    __tablename__ = "approvals"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str]
    action: Mapped[str]
    content: Mapped[str]
    """Fingerprint of what was approved: changed content needs all approvals again."""
    person: Mapped[str]
    """Normalised name."""
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    """Null in a row of a release before people had ids."""
    proposer_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    """The first person; null where this approval is the first one."""
    approved_by: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("proposer_id <> person_id", name="two_people"),
        Index("ix_approvals_subject", "subject", "action"),
    )


class RateWindow(Table):
    """Requests counted against one limit until the window ends; unlogged, so a crash resets it."""

    __tablename__ = "rate_windows"
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    hits: Mapped[int]
    ends_at: Mapped[datetime]
    __table_args__ = (Index("ix_rate_windows_ends", "ends_at"),)
