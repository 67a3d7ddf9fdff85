"""Identity links between players, the clusters that hard links make, and merges of those."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table


class IdentityLink(Table):
    """A value that a player's facts hold; players with the same value are linked by it."""

    __tablename__ = "identity_links"
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    """A word of domain/fraud/links.LinkKind."""
    value: Mapped[str] = mapped_column(primary_key=True)
    """Keyed hash of the normalised value."""
    player_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    is_strong: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """True for a value that names one person, and so can make a hard link."""
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    """Behind the latest use by up to ten minutes: see referrals/fraud/link_writing.py."""
    __table_args__ = (
        Index("ix_identity_links_player", "player_id", "kind", "last_seen_at"),
        Index(
            "ix_identity_links_first_strong",
            "kind",
            "value",
            "first_seen_at",
            "player_id",
            postgresql_where=text("is_strong"),
        ),
        Index("ix_identity_links_last_seen", "kind", "last_seen_at"),
    )


class PlayerCluster(Table):
    """The cluster of a player who shares a hard link; most players have no row.

    A player who left a cluster, as a rebuild found, has a cluster of one.
    """

    __tablename__ = "player_clusters"
    player_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    cluster_id: Mapped[UUID]
    """Changes when clusters merge: the smaller one takes the id of the larger."""
    changed_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_player_clusters_cluster", "cluster_id", "player_id"),)


class ClusterMerge(Table):
    """A hard link that joined players after their facts were first judged, and its follow-up.

    Only `followed_at` changes, once the referrals of the joined players were looked at.
    """

    __tablename__ = "cluster_merges"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    player_id: Mapped[str] = mapped_column(String(64))
    """The player whose fact made the link."""
    cluster_id: Mapped[UUID]
    kinds: Mapped[list[str]]
    """The kinds of the links that joined them."""
    moved: Mapped[list[str]]
    """The players whose cluster changed; those who were the largest cluster stayed in it."""
    merged_at: Mapped[datetime] = mapped_column(server_default=NOW)
    followed_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("followed_at >= merged_at", name="followed"),
        Index(
            "ix_cluster_merges_open",
            "merged_at",
            "id",
            postgresql_where=text("followed_at is null"),
        ),
    )
