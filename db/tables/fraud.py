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

from db.tables.base import NOW, Table
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


class SignupToAssess(Table):
    """A referral that got its signup, until a courier has assessed its pair."""

    __tablename__ = "signups_to_assess"
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"), primary_key=True)
    noted_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_signups_to_assess_noted", "noted_at", "referral_id"),)


class SignupAssessment(Table):
    """Evidence about a pair at its signup, and its score, which decides nothing; insert-only."""

    __tablename__ = "signup_assessments"
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"), primary_key=True)
    evidence: Mapped[dict[str, Any]]
    ineligible: Mapped[list[str]]
    """Reasons for which a player could not be credited, as `referrer:closed`."""
    rule_set: Mapped[str] = mapped_column(String(64))
    score: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[Verdict]
    reasons: Mapped[list[str]]
    outcomes: Mapped[dict[str, Any]]
    assessed_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_signup_assessments_assessed", "assessed_at"),)


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
