"""Assessments and reviews."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table
from domain.fraud.rules import Verdict
from domain.intake.facts import Choice


class AssessmentRow(Table):
    """The score of a referral's risk, with the evidence that was judged; insert-only."""

    __tablename__ = "assessments"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    deposit_event_id: Mapped[str] = mapped_column(String(96))
    score: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[Verdict]
    """`pass` for a sampled one, too, which release 0.2 can read: see `is_sampled`."""
    reasons: Mapped[list[str]]
    evidence: Mapped[dict[str, Any]]
    """The snapshot that was scored; one without a version is of release 0.2."""
    rule_set: Mapped[str | None] = mapped_column(String(64))
    """Version of the rule set; null before release 0.3, as the columns below it."""
    outcomes: Mapped[dict[str, Any] | None]
    """Weight and outcome of each rule of the set."""
    is_sampled: Mapped[bool | None]
    """True for one that passes and is reviewed to measure what is missed."""
    hold_s: Mapped[int | None]
    """Seconds for which the reward is held, by the band of the score."""
    assessed_at: Mapped[datetime]
    __table_args__ = (
        Index("ix_assessments_referral", "referral_id"),
        Index("ix_assessments_assessed", "assessed_at", "id"),
    )


class Review(Table):
    __tablename__ = "reviews"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    attempt: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    """The attempt whose evidence is reviewed."""
    round: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    """Number of the review among those of its referral."""
    assessment_id: Mapped[UUID | None]
    case_id: Mapped[UUID | None]
    """The case in which it is decided; null until the courier has filed it."""
    status: Mapped[str] = mapped_column(String(16))
    """open; decided (by a person); or closed (events left nothing to decide)."""
    score: Mapped[int] = mapped_column(Integer)
    reasons: Mapped[list[str]]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    opened_at: Mapped[datetime]
    escalated_at: Mapped[datetime | None]
    decision: Mapped[Choice | None]
    reviewer: Mapped[str | None]
    reason: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("(status = 'decided') = (decision is not null)", name="decided"),
        Index("ix_reviews_status", "status", "opened_at"),
        Index("uq_reviews_referral_id_round", "referral_id", "round", unique=True),
        Index(
            "uq_reviews_open",
            "referral_id",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
        Index(
            "ix_reviews_unfiled",
            "opened_at",
            postgresql_where=text("status = 'open' and case_id is null"),
        ),
        Index("ix_reviews_case", "case_id"),
    )
