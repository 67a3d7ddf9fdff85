"""Rule sets, the switches that make them live, their shadow assessments, and backtests."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table
from domain.fraud.rules import Verdict


class RuleSetRow(Table):
    """One version of the weights and thresholds of fraud rules; insert-only."""

    __tablename__ = "rule_sets"
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    based_on: Mapped[int | None] = mapped_column(ForeignKey("rule_sets.version"))
    weights: Mapped[dict[str, Any]]
    thresholds: Mapped[dict[str, Any]]
    sample_percent: Mapped[int] = mapped_column(Integer)
    campaigns: Mapped[dict[str, Any]]
    """Weights and thresholds of single campaigns, by slug."""
    reason: Mapped[str]
    written_by: Mapped[str]
    written_at: Mapped[datetime] = mapped_column(server_default=NOW)


class RuleSetSwitch(Table):
    """A change of the live or the shadow rule set, the latest of which counts; insert-only."""

    __tablename__ = "rule_set_switches"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    """live or shadow."""
    version: Mapped[int | None] = mapped_column(ForeignKey("rule_sets.version"))
    """Null ends the shadow."""
    switched_by: Mapped[str]
    switched_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        CheckConstraint("role in ('live', 'shadow')", name="role"),
        CheckConstraint("role = 'shadow' or version is not null", name="version"),
        Index("ix_rule_set_switches_role", "role", "id"),
        Index("ix_rule_set_switches_version", "version", "id"),
    )


class ShadowAssessment(Table):
    """A snapshot scored by the shadow rule set beside the live one; insert-only."""

    __tablename__ = "shadow_assessments"
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessments.id"), primary_key=True)
    rule_set: Mapped[int] = mapped_column(ForeignKey("rule_sets.version"), primary_key=True)
    score: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[Verdict]
    reasons: Mapped[list[str]]
    outcomes: Mapped[dict[str, Any]]
    assessed_at: Mapped[datetime]
    __table_args__ = (Index("ix_shadow_assessments_rule_set", "rule_set", "assessed_at"),)


class BacktestRow(Table):
    """Result of a rule set on stored snapshots, beside the one that was live; insert-only."""

    __tablename__ = "backtests"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(ForeignKey("rule_sets.version"))
    baseline: Mapped[int] = mapped_column(ForeignKey("rule_sets.version"))
    since: Mapped[datetime]
    until: Mapped[datetime]
    report: Mapped[dict[str, Any]]
    run_by: Mapped[str]
    run_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_backtests_version", "version", "baseline", "run_at"),)
