"""Referrals, their timeline, and the deliveries to their workflows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table
from domain.attribution.policy import Method
from domain.lifecycle.referral import Stage


class ReferralRow(Table):
    __tablename__ = "referrals"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"))
    campaign_slug: Mapped[str] = mapped_column(String(64))
    campaign_version_id: Mapped[UUID] = mapped_column(ForeignKey("campaign_versions.id"))
    code: Mapped[str] = mapped_column(ForeignKey("codes.code"))
    referrer_id: Mapped[str] = mapped_column(String(64))
    referee_id: Mapped[str | None] = mapped_column(String(64))
    visitor: Mapped[str | None] = mapped_column(String(80))
    """Keyed hash of the visitor who followed the code."""
    terms: Mapped[dict[str, Any]]
    stage: Mapped[Stage]
    until: Mapped[datetime]
    steps: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Number of its timeline rows."""
    awaits_funds: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """True while it waits for a top-up of the budget, or for a player to be eligible again."""
    awaits_funds_since: Mapped[datetime | None]
    """Set by a trigger with `awaits_funds`, for every release: its place in the funds queue."""
    invited_at: Mapped[datetime]
    signed_up_at: Mapped[datetime | None]
    signup_event_id: Mapped[str | None] = mapped_column(String(96))
    attribution_method: Mapped[Method | None]
    attribution_confidence: Mapped[float | None] = mapped_column(Float)
    qualified_by: Mapped[str | None] = mapped_column(String(96))
    """event_id of the deposit that earned the reward; fixed when it is credited."""
    assessment_id: Mapped[UUID | None]
    credited_at: Mapped[datetime | None]
    reminded_until: Mapped[datetime | None]
    """Time up to which its reminders were written or left out; null before the first."""
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    variant: Mapped[str | None] = mapped_column(String(32))
    """Name of the variant whose terms were promised; null where the version had none."""
    accepted_terms: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Acceptances of the terms by `referrer` and `referee`; null where none was reported."""
    __table_args__ = (
        Index(
            "uq_referrals_referee_once",
            "referee_id",
            unique=True,
            postgresql_where=text("referee_id is not null and stage <> 'LOST'"),
        ),
        Index(
            "uq_referrals_open_invitation",
            "visitor",
            "code",
            unique=True,
            postgresql_where=text("visitor is not null and stage = 'INVITED'"),
        ),
        Index("ix_referrals_referrer", "referrer_id", "invited_at"),
        Index(
            "ix_referrals_referee",
            "referee_id",
            "invited_at",
            "id",
            postgresql_where=text("referee_id is not null"),
        ),
        Index("ix_referrals_newest", "invited_at", "id"),
        Index(
            "ix_referrals_signups",
            "campaign_id",
            "signed_up_at",
            postgresql_where=text("signed_up_at is not null"),
        ),
        Index("ix_referrals_stage", "stage", "until"),
        Index(
            "ix_referrals_funds_queue",
            "campaign_id",
            "awaits_funds_since",
            "id",
            postgresql_where=text("awaits_funds"),
        ),
    )


class TimelineRow(Table):
    """One stage change; its outbox event has the same id."""

    __tablename__ = "timeline"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    step: Mapped[int] = mapped_column(Integer)
    stage: Mapped[Stage]
    at: Mapped[datetime]
    reason: Mapped[str | None]
    reason_code: Mapped[str | None] = mapped_column(String(32))
    recorded_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        UniqueConstraint("referral_id", "step"),
        Index("ix_timeline_at", "at", postgresql_using="brin"),
        Index("ix_timeline_recorded", "recorded_at", postgresql_using="brin"),
    )


class Delivery(Table):
    """A fact of a bound player on its way to a referral's workflow.

    `kind` is also 'invitation' (start the workflow) or 'look' (something changed on our side).
    Without a `signal` it only starts the workflow. A row inserted with `acknowledged_at` needs no
    delivery.
    """

    __tablename__ = "deliveries"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    kind: Mapped[str] = mapped_column(String(16))
    event_id: Mapped[str] = mapped_column(String(80))
    signal: Mapped[str | None] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=NOW)
    acknowledged_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        UniqueConstraint("referral_id", "kind", "event_id"),
        Index(
            "ix_deliveries_lane_due",
            text("((kind = 'invitation')::int)"),
            "next_attempt_at",
            "id",
            postgresql_where=text("acknowledged_at is null"),
        ),
        Index("ix_deliveries_created", "created_at", postgresql_using="brin"),
        Index("ix_deliveries_lane", "kind", "id", postgresql_where=text("acknowledged_at is null")),
    )
