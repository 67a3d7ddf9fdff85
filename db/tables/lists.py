"""Lists of values that fraud rules look at, and the referrals that they hit."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table
from domain.fraud.lists import ListedKind, ListName

_IS_LISTED = text("removed_at is null")


class ListEntryRow(Table):
    """One listed value. An entry is never changed, only removed; a removed one stays."""

    __tablename__ = "list_entries"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    list_name: Mapped[ListName]
    kind: Mapped[ListedKind]
    value: Mapped[str] = mapped_column(String(320))
    """The keyed hash of a personal value; players, networks and domains are plain."""
    reason: Mapped[str]
    added_by: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("list_name in ('allow', 'deny', 'watch')", name="list_name"),
        CheckConstraint("(removed_at is null) = (removed_by is null)", name="removed"),
        Index(
            "ix_list_entries_listed",
            "list_name",
            "added_at",
            "id",
            postgresql_where=_IS_LISTED,
        ),
        Index(
            "ix_list_entries_value", "kind", "value", postgresql_where=text("removed_at is null")
        ),
    )


class ListKeyRow(Table):
    """A stored value by which an entry is looked up; a network has one for each of its parts."""

    __tablename__ = "list_keys"
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("list_entries.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(320), primary_key=True)
    __table_args__ = (Index("ix_list_keys_value", "value", "kind"),)


class ListHitRow(Table):
    """A referral in which an entry was hit; insert-only."""

    __tablename__ = "list_hits"
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("list_entries.id"), primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"), primary_key=True)
    hit_at: Mapped[datetime] = mapped_column(server_default=NOW)
