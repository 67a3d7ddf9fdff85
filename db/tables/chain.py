"""The hash chain over rows that must not change, salts that erasure destroys, and what went."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Identity, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table


class UnlinkedRow(Table):
    """A row that is not in the chain yet; a trigger writes it in the row's own transaction."""

    __tablename__ = "unlinked_rows"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    relation: Mapped[str] = mapped_column(String(32))
    row_key: Mapped[str]


class ChainLink(Table):
    """One row's place in the chain; insert-only."""

    __tablename__ = "chain_links"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Without gaps, in the order in which rows were linked."""
    relation: Mapped[str] = mapped_column(String(32))
    row_key: Mapped[str]
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the row, in which personal values are represented by the commitment."""
    commitment: Mapped[bytes | None] = mapped_column(LargeBinary)
    """HMAC of the row's personal values under its subject's salt; null where it has none."""
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the link before it and of this one."""
    linked_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("relation", "row_key"),)


class SubjectSalt(Table):
    """Salt of the commitments to one player's personal values; erasure deletes it."""

    __tablename__ = "subject_salts"
    subject: Mapped[str] = mapped_column(String(96), primary_key=True)
    """A player, or the row itself where no player is known, as `touches/ID`."""
    salt: Mapped[bytes] = mapped_column(LargeBinary)


class Erasure(Table):
    """An erasure of what was known about a player; insert-only."""

    __tablename__ = "erasures"
    player_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    erased_by: Mapped[str]
    reason: Mapped[str]
    erased_at: Mapped[datetime] = mapped_column(server_default=NOW)


class LetGoRow(Table):
    """One batch of rows that retention deleted; insert-only, and itself in the chain."""

    __tablename__ = "let_go"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    """`deliveries`, `invitations` or `outbox`."""
    since: Mapped[datetime]
    until: Mapped[datetime]
    """Its rows were older. A window of the outbox is closed by it: nothing in it is announced."""
    rows: Mapped[dict[str, Any]]
    """Number of rows by table."""
    links: Mapped[Any] = mapped_column(INT8MULTIRANGE)
    """Links of the hash chain whose rows went."""
    stage_changes: Mapped[int | None]
    """Stage changes of a window of the outbox, each of which had its event when it was closed."""
    digest: Mapped[str | None]
    """SHA-256 of what stays of its referrals; null where that is nothing."""
    let_go_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_let_go_links", "links", postgresql_using="gist"),)


class LetGoDeliveries(Table):
    """Number of a referral's facts whose deliveries one batch let go of."""

    __tablename__ = "let_go_deliveries"
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"), primary_key=True)
    let_go_id: Mapped[int] = mapped_column(primary_key=True)
    """Batch; no foreign key, because the batch is written behind what stays: `verify` looks."""
    until: Mapped[datetime]
    """Its facts were heard before."""
    facts: Mapped[int]
    __table_args__ = (Index("ix_let_go_deliveries_let_go_id", "let_go_id"),)


class LetGoInvitation(Table):
    """An invitation that came to nothing, in place of its timeline and touches."""

    __tablename__ = "let_go_invitations"
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"), primary_key=True)
    let_go_id: Mapped[int]
    """As of LetGoDeliveries."""
    expired_at: Mapped[datetime]
    reason: Mapped[str | None]
    reason_code: Mapped[str | None] = mapped_column(String(32))
    clicks: Mapped[list[Any]] = mapped_column(JSONB)
    """Time and platform of each click that reports count, in their order."""
    last_click_at: Mapped[datetime | None]
    platform: Mapped[str | None] = mapped_column(String(16))
    """Platform of its first touch that has one."""
    __table_args__ = (
        Index("ix_let_go_invitations_let_go_id", "let_go_id"),
        Index("ix_let_go_invitations_clicks", "last_click_at"),
    )
