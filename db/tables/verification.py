"""Runs of verification, of which a green one is where the next begins, and of other care."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Identity, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table


class VerifyRun(Table):
    """One finished run; insert-only."""

    __tablename__ = "verify_runs"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    mode: Mapped[str] = mapped_column(String(16))
    """whole, or incremental: what changed since the newest green run before it."""
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    ok: Mapped[bool]
    checks: Mapped[dict[str, Any]]
    """By the name of each check, the ids of rows that break it; empty for one that holds."""
    looked_at_all: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    """Names of the checks that looked at every row; those of a whole run all did."""
    lag: Mapped[dict[str, Any]]
    position: Mapped[datetime]
    """Everything written before it was settled and looked at."""
    __table_args__ = (
        CheckConstraint("mode in ('whole', 'incremental')", name="mode"),
        CheckConstraint("finished_at >= started_at", name="ends"),
        Index("ix_verify_runs_started", "started_at"),
    )


class CareRun(Table):
    """One try of scheduled care that has ended; insert-only."""

    __tablename__ = "care_runs"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    findings: Mapped[int | None]
    """Number of violations or differences; null for a try that failed."""
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    __table_args__ = (
        CheckConstraint("findings >= 0", name="findings"),
        Index("ix_care_runs_kind", "kind", "id"),
    )
