"""The hash chain over rows that must not change, and the salts that erasure destroys."""

from datetime import datetime

from sqlalchemy import Identity, LargeBinary, String, UniqueConstraint
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
