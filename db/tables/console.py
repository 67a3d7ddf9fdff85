"""Links that let a person in to the console once, and the sessions that they begin."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table


class ConsoleLink(Table):
    """A link that signs a person in once; only the hash of its token is stored."""

    __tablename__ = "console_links"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint(
            "role in ('reviewer', 'marketer', 'support', 'auditor', 'admin')", name="role"
        ),
    )


class ConsoleSession(Table):
    """A signed-in browser; only the hash of its cookie is stored."""

    __tablename__ = "console_sessions"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint(
            "role in ('reviewer', 'marketer', 'support', 'auditor', 'admin')", name="role"
        ),
        Index("ix_console_sessions_person", "person_id"),
    )
