"""Touches, attempts to attribute players, and support's requests to rebind them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table
from domain.attribution.policy import Method


class TouchRow(Table):
    """One contact between a person and an invitation; insert-only.

    Identifiers of the person, the device and the network are stored as keyed hashes.
    """

    __tablename__ = "touches"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    method: Mapped[Method]
    confidence: Mapped[float] = mapped_column(Float)
    at: Mapped[datetime]
    """By this service's clock, not the caller's."""
    code: Mapped[str | None] = mapped_column(String(64))
    """Normalised; null for one that nobody has, which may be a name."""
    campaign_slug: Mapped[str | None] = mapped_column(String(64))
    referral_id: Mapped[UUID | None] = mapped_column(ForeignKey("referrals.id"))
    visitor: Mapped[str | None] = mapped_column(String(80))
    player_id: Mapped[str | None] = mapped_column(String(64))
    platform: Mapped[str | None] = mapped_column(String(16))
    ip: Mapped[str | None] = mapped_column(String(80))
    user_agent: Mapped[str | None] = mapped_column(String(80))
    device_id: Mapped[str | None] = mapped_column(String(80))
    device_traits: Mapped[dict[str, Any]] = mapped_column("signals", server_default=text("'{}'"))
    """Hashes by name of trait: os, os_version, model, locale, time_zone, screen."""
    evidence: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """Evidence from the platform, such as the raw install referrer with its times."""
    refusal: Mapped[str | None] = mapped_column(String(32))
    answers_touch_id: Mapped[UUID | None] = mapped_column("answers", ForeignKey("touches.id"))
    """The touch that this one confirms, declines, or presents at a signup."""
    is_confirmed: Mapped[bool | None]
    __table_args__ = (
        Index("ix_touches_referral", "referral_id"),
        Index("ix_touches_visitor", "visitor", postgresql_where=text("visitor is not null")),
        Index("ix_touches_player", "player_id", postgresql_where=text("player_id is not null")),
        Index("ix_touches_answers", "answers", postgresql_where=text("answers is not null")),
        Index("ix_touches_at", "at", postgresql_using="brin"),
        Index("ix_touches_network", "ip", "at", postgresql_where=text("ip is not null")),
    )


class AttemptRow(Table):
    """One attempt to attribute a player, with its touches and its outcome; insert-only."""

    __tablename__ = "attributions"
    attempt_id: Mapped[str] = mapped_column("signup_event_id", String(96), primary_key=True)
    """For a signup, its event_id; the column is named for the first kind of attempt."""
    attempt: Mapped[str] = mapped_column(String(16), server_default=text("'signup'"))
    player_id: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(32))
    referral_id: Mapped[UUID | None] = mapped_column(ForeignKey("referrals.id"))
    claims: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    """Written by version 0.1 only; later versions write `touches`."""
    signed_up_at: Mapped[datetime | None]
    touches: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    """The touches as they were judged, so that the decision can be made again from them."""
    policy: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    actor: Mapped[str | None]
    reason: Mapped[str | None]
    decided_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        Index("ix_attributions_player", "player_id"),
        Index("ix_attributions_referral", "referral_id"),
        Index("ix_attributions_decided", "decided_at", "signup_event_id"),
    )


class Rebind(Table):
    """Support's request to bind a player to another code, decided by a second person."""

    __tablename__ = "rebinds"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    player_id: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(ForeignKey("codes.code"))
    reason: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime] = mapped_column(server_default=NOW)
    status: Mapped[str] = mapped_column(String(16), server_default=text("'proposed'"))
    """proposed, approved, rejected, or refused (the rules no longer allow it)."""
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]
    outcome: Mapped[str | None] = mapped_column(String(32))
    referral_id: Mapped[UUID | None] = mapped_column(ForeignKey("referrals.id"))
    __table_args__ = (Index("ix_rebinds_player", "player_id"),)
