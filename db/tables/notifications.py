"""Notifications to players, the attempts to hand each on, and the players' preferences."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table
from domain.notifications.messages import Kind
from domain.notifications.sending import AttemptOutcome, NotificationStatus


class NotificationRow(Table):
    """One message to one player; once per event, player and kind."""

    __tablename__ = "notifications"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(Identity(always=True))
    """Order of the messages that are due at the same time."""
    event_id: Mapped[UUID]
    """The outbox event, or the derived id of the reminder, that caused it."""
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    player_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[Kind]
    message: Mapped[dict[str, Any]]
    """Its content before it has a language."""
    caused_at: Mapped[datetime]
    """Time at which the event was written; it may have happened long before."""
    status: Mapped[NotificationStatus] = mapped_column(server_default=text("'pending'"))
    due_at: Mapped[datetime] = mapped_column(server_default=NOW)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        UniqueConstraint("event_id", "player_id", "kind"),
        Index("ix_notifications_due", "due_at", "seq", postgresql_where=text("status = 'pending'")),
        Index("ix_notifications_referral", "referral_id"),
        Index(
            "ix_notifications_waiting",
            "player_id",
            postgresql_where=text("status = 'pending'"),
        ),
    )


class NotificationAttempt(Table):
    """One attempt to hand a notification on; insert-only."""

    __tablename__ = "notification_attempts"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    notification_id: Mapped[UUID] = mapped_column(ForeignKey("notifications.id"))
    at: Mapped[datetime]
    outcome: Mapped[AttemptOutcome]
    reason: Mapped[str | None] = mapped_column(String(64))
    locale: Mapped[str | None] = mapped_column(String(64))
    """Locale of the text, where one was rendered."""
    postponed_until: Mapped[datetime | None]
    __table_args__ = (Index("ix_notification_attempts_notification", "notification_id"),)


class PlayerPreferences(Table):
    """A player's choices about notifications; a null is the default."""

    __tablename__ = "player_preferences"
    player_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    locale: Mapped[str | None] = mapped_column(String(64))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    wants_messages: Mapped[bool] = mapped_column(server_default=text("true"))
    quiet_from: Mapped[time | None]
    quiet_to: Mapped[time | None]
    changed_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        CheckConstraint(
            "(quiet_from is null) = (quiet_to is null) and quiet_from <> quiet_to",
            name="quiet_hours",
        ),
    )
