"""Rewards and the ledger."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table
from domain.ledger.movements import Book, Movement
from domain.rewards.promises import RewardStatus, RewardType


class Reward(Table):
    __tablename__ = "rewards"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    reward_type: Mapped[RewardType]
    player_id: Mapped[str] = mapped_column(String(64))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[RewardStatus]
    held_until: Mapped[datetime | None]
    """The end of the hold period; a review may hold it longer."""
    cycle: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """How often it was reversed."""
    deposit_event_id: Mapped[str] = mapped_column(String(64))
    campaign_version_id: Mapped[UUID] = mapped_column(ForeignKey("campaign_versions.id"))
    assessment_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("referral_id", "reward_type"),
        CheckConstraint("amount_minor > 0", name="positive"),
        Index("ix_rewards_player", "player_id", "created_at"),
    )


class AccountRow(Table):
    __tablename__ = "accounts"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    book: Mapped[Book]
    currency: Mapped[str] = mapped_column(String(3))
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaigns.id"))
    player_id: Mapped[str | None] = mapped_column(String(64))
    balance_minor: Mapped[int] = mapped_column(server_default=text("0"))
    """Kept for every book but `funding` and `spent`, whose balance is the sum of their entries."""
    __table_args__ = (
        UniqueConstraint("id", "currency"),
        CheckConstraint("balance_minor >= 0 or book = 'owed'", name="not_negative"),
        CheckConstraint("balance_minor <= 0 or book <> 'owed'", name="owed_not_positive"),
        Index("ix_accounts_player", "player_id"),
    )


class TransferRow(Table):
    """An immutable movement of money; insert-only."""

    __tablename__ = "transfers"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    movement: Mapped[Movement]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaigns.id"))
    player_id: Mapped[str | None] = mapped_column(String(64))
    reward_id: Mapped[UUID | None] = mapped_column(ForeignKey("rewards.id"))
    """Of OWE, FORGIVE and RECOVER: the reward whose debt it is."""
    referral_id: Mapped[UUID | None] = mapped_column(ForeignKey("referrals.id"))
    """The referral whose act posted it."""
    resolves_hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("transfers.id"), unique=True)
    reference: Mapped[str | None]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint(
            "(movement in ('release', 'void')) = (resolves_hold_id is not null)",
            name="resolves_a_hold",
        ),
        Index("ix_transfers_reward", "reward_id"),
        Index("ix_transfers_player", "player_id", "recorded_at"),
    )


class Entry(Table):
    """One end of an arrow; insert-only. Negative leaves the account, positive arrives in it."""

    __tablename__ = "entries"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfers.id"))
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    balance_after_minor: Mapped[int | None]
    """Empty for `funding` and `spent`."""
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "currency"], ["accounts.id", "accounts.currency"]),
        CheckConstraint("amount_minor <> 0", name="moves"),
        Index("ix_entries_account", "account_id", "id"),
        Index("ix_entries_transfer", "transfer_id"),
    )
