"""Players, the facts reported about them, and the inbox of facts not routed yet."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Identity, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table
from domain.intake.facts import FactKind


class Player(Table):
    """One row for each player: the lock under which everything about that player is decided."""

    __tablename__ = "players"
    player_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    first_heard_at: Mapped[datetime] = mapped_column(server_default=NOW)


class FactRow(Table):
    """Something that happened outside, recorded once; insert-only."""

    __tablename__ = "facts"
    kind: Mapped[FactKind] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    player_id: Mapped[str] = mapped_column(String(64))
    """The player whom the fact concerns; for a decision, the referral's referee."""
    occurred_at: Mapped[datetime]
    body: Mapped[dict[str, Any]]
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the normalised content: the same id with other content is refused."""
    matching: Mapped[dict[str, Any] | None]
    """Keyed hashes made by today's normalisation, by kind, for links between players.

    Those in `body` stay as release 0.2 made them, so that an event sent again is the same event.
    """
    door: Mapped[str] = mapped_column(String(16))
    reported_by: Mapped[str | None]
    """Owner of the API key that reported it; null for a signal, and before release 0.3."""
    request_id: Mapped[str | None]
    """HTTP request, place of the record, or workflow of the signal; null before release 0.3."""
    heard_at: Mapped[datetime] = mapped_column(server_default=NOW)
    let_go_at: Mapped[datetime | None]
    """Time at which retention let go of its personal values."""
    __table_args__ = (
        Index("ix_facts_player_time", "player_id", "kind", "occurred_at"),
        Index("ix_facts_heard", "heard_at", postgresql_using="brin"),
        Index(
            "ix_facts_signup_device",
            text("(body ->> 'device_id')"),
            postgresql_where=text("kind = 'signup'"),
        ),
        Index(
            "ix_facts_signup_token",
            text("(body ->> 'referral_token')"),
            postgresql_where=text("kind = 'signup' and (body ->> 'referral_token') is not null"),
        ),
        Index(
            "ix_facts_signup_cookie",
            text("(body ->> 'cookie_token')"),
            postgresql_where=text("kind = 'signup' and (body ->> 'cookie_token') is not null"),
        ),
        Index(
            "ix_facts_deposit",
            text("(body ->> 'deposit_id')"),
            postgresql_where=text("(body ->> 'deposit_id') is not null"),
        ),
    )


class InboxRow(Table):
    """A fact that the courier has not routed yet; routing the fact deletes the row."""

    __tablename__ = "inbox"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    player_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[FactKind]
    event_id: Mapped[str] = mapped_column(String(80))
    heard_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_inbox_player", "player_id"),)


class StakingPlayer(Table):
    """A player who has bet, or whose stakes decide; the database alone writes it."""

    __tablename__ = "staking_players"
    player_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    is_counted: Mapped[bool] = mapped_column(server_default=text("false"))
    """True once a referral of theirs asks for stakes: these are added up from then on."""


class StakeTotal(Table):
    """Stakes of a counted player in one currency on one day of UTC; the database adds them up."""

    __tablename__ = "stake_totals"
    player_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    stakes: Mapped[int]
    minor: Mapped[Decimal]
    """Their sum in minor units, which no number of stakes makes too large."""
