"""The ledger: accounts, transfers and their entries."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    Uuid,
    column,
    table,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table
from domain.ledger.movements import Book, Movement


class AccountRow(Table):
    __tablename__ = "accounts"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    book: Mapped[Book]
    currency: Mapped[str] = mapped_column(String(3))
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaigns.id"))
    player_id: Mapped[str | None] = mapped_column(String(64))
    bonus_player_id: Mapped[str | None] = mapped_column(String(64))
    """The player of a bonus balance, in place of `player_id`: release 0.2 does not see it."""
    balance_minor: Mapped[int] = mapped_column(server_default=text("0"))
    """Stored for every book but `funding` and `spent`, whose balances are sums of entries.

    Of a balance that is spread, what is not in its shards.
    """
    shards: Mapped[int | None] = mapped_column(SmallInteger)
    """Shards that a campaign's balance may be spread over; null where it never was, 1 no more."""
    __table_args__ = (
        UniqueConstraint("id", "currency"),
        CheckConstraint("balance_minor >= 0 or book = 'owed'", name="not_negative"),
        CheckConstraint("balance_minor <= 0 or book <> 'owed'", name="owed_not_positive"),
        CheckConstraint(
            "shards is null or shards between 1 and 64 and book = 'campaign'", name="shards"
        ),
        Index("ix_accounts_player", "player_id"),
        Index(
            "ix_accounts_bonus_player",
            "bonus_player_id",
            postgresql_where=text("bonus_player_id is not null"),
        ),
        Index(
            "ix_accounts_campaign",
            "campaign_id",
            postgresql_where=text("campaign_id is not null"),
        ),
    )


class BudgetShard(Table):
    """A part of a campaign's balance, in a row that one spender locks at a time."""

    __tablename__ = "budget_shards"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    balance_minor: Mapped[int | None]
    """Null while the balance is gathered in the account's own row."""
    __table_args__ = (
        CheckConstraint("balance_minor >= 0", name="not_negative"),
        CheckConstraint("shard between 0 and 63", name="shard"),
    )


CAMPAIGN_BUDGETS: Final = table(
    "campaign_budgets",
    column("account_id", Uuid),
    column("campaign_id", Uuid),
    column("currency", String),
    column("free_minor", BigInteger),
)
"""A view of each campaign's balance in each currency: that of its account with all its shards."""


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
    """For OWE, FORGIVE and RECOVER, the reward that the debt comes from."""
    referral_id: Mapped[UUID | None] = mapped_column(ForeignKey("referrals.id"))
    """The referral whose act posted it."""
    resolves_hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("transfers.id"), unique=True)
    reference: Mapped[str | None]
    reported_by: Mapped[str | None]
    """Caller who made it; of an act's, the reporter of the newest event that the act read."""
    request_id: Mapped[str | None]
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
        Index(
            "ix_transfers_spends",
            "player_id",
            "reference",
            postgresql_where=text("movement in ('spend', 'unspend')"),
        ),
        Index(
            "ix_transfers_debts",
            "player_id",
            postgresql_where=text("movement in ('owe', 'recover', 'forgive')"),
        ),
        Index("ix_transfers_at", "at", postgresql_using="brin"),
        Index("ix_transfers_recorded", "recorded_at", postgresql_using="brin"),
        Index(
            "ix_transfers_fundings",
            "campaign_id",
            "currency",
            postgresql_where=text("movement in ('fund', 'defund')"),
        ),
    )


class Entry(Table):
    """One account's line of a transfer; insert-only. Negative amounts leave the account."""

    __tablename__ = "entries"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfers.id"))
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    balance_after_minor: Mapped[int | None]
    """Null for `funding` and `spent`, whose balances are derived, and where one may be spread."""
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "currency"], ["accounts.id", "accounts.currency"]),
        CheckConstraint("amount_minor <> 0", name="moves"),
        Index("ix_entries_account", "account_id", "id"),
        Index("ix_entries_transfer", "transfer_id"),
    )
