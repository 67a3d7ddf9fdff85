"""People who sign in to the console, the links that let them in once, and their sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table


class ConsolePerson(Table):
    """A person of the console; insert-only."""

    __tablename__ = "console_people"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(String(200), unique=True)
    """Normalised name, by which approvals tell people apart."""
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class ConsoleLink(Table):
    """A link that signs a person in once; only the hash of its token is stored."""

    __tablename__ = "console_links"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("console_people.id"))
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
    person_id: Mapped[UUID] = mapped_column(ForeignKey("console_people.id"))
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
