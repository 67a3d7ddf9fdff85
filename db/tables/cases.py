"""Cases of reviewers: referrals, notes, what they take back, requests, and deliveries."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table
from domain.fraud.cases import CaseKind, SubjectKind
from domain.intake.facts import Choice


class CaseRow(Table):
    """Referrals that one person judges together: of a cluster, else of a referrer."""

    __tablename__ = "cases"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[CaseKind]
    subject_kind: Mapped[SubjectKind]
    subject: Mapped[str] = mapped_column(String(64))
    number: Mapped[int] = mapped_column(Integer)
    """Number of the case among those of its kind and subject."""
    status: Mapped[str] = mapped_column(String(16), server_default=text("'open'"))
    """open; decided (by a person); or closed (events left nothing to decide)."""
    opened_at: Mapped[datetime]
    review_period: Mapped[timedelta] = mapped_column(Interval)
    due_at: Mapped[datetime]
    escalated_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    decision: Mapped[Choice | None]
    decided_by: Mapped[str | None]
    reason: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("status in ('open', 'decided', 'closed')", name="status"),
        CheckConstraint("kind in ('held', 'late_link', 'sample')", name="kind"),
        CheckConstraint("subject_kind in ('cluster', 'referrer', 'referral')", name="subject_kind"),
        CheckConstraint("decision in ('approve', 'reject')", name="decision"),
        CheckConstraint("(status = 'decided') = (decision is not null)", name="decided"),
        CheckConstraint("(claimed_by is null) = (claimed_until is null)", name="claimed"),
        UniqueConstraint("kind", "subject_kind", "subject", "number"),
        Index("ix_cases_status", "status", "opened_at", "id"),
        Index("ix_cases_subject", "subject"),
    )


class CaseReferral(Table):
    """A referral of a case, with the review that asks about it; insert-only."""

    __tablename__ = "case_referrals"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    review_id: Mapped[UUID | None] = mapped_column(unique=True)
    """Null where nothing is held: the referral was credited before."""
    reasons: Mapped[list[str]]
    added_at: Mapped[datetime]
    __table_args__ = (
        Index("ix_case_referrals_case", "case_id"),
        Index("ix_case_referrals_referral", "referral_id"),
    )


class CaseRequest(Table):
    """A request for a case about a credited referral, which the courier files."""

    __tablename__ = "case_requests"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[CaseKind]
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    reasons: Mapped[list[str]]
    requested_at: Mapped[datetime]
    filed_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("kind in ('held', 'late_link', 'sample')", name="kind"),
        Index(
            "ix_case_requests_waiting",
            "requested_at",
            postgresql_where=text("filed_at is null"),
        ),
    )


class Clawback(Table):
    """A credited referral that a reviewer rejected: nothing of it is due any more; insert-only."""

    __tablename__ = "clawbacks"
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    decided_by: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (Index("ix_clawbacks_case", "case_id"),)


class CaseNote(Table):
    """A note of a reviewer; insert-only."""

    __tablename__ = "case_notes"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    author: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (Index("ix_case_notes_case", "case_id", "at"),)


class CaseDelivery(Table):
    """A change of a case of which its workflow has to hear; repeated until acknowledged."""

    __tablename__ = "case_deliveries"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=NOW)
    acknowledged_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "ix_case_deliveries_due",
            "next_attempt_at",
            postgresql_where=text("acknowledged_at is null"),
        ),
    )
