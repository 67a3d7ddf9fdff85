"""Campaigns, their versions, and the codes under which they are shared."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
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
from domain.campaigns.terms import CampaignStatus


class Campaign(Table):
    __tablename__ = "campaigns"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    status: Mapped[CampaignStatus]
    version: Mapped[int] = mapped_column(Integer)
    """The version that invitations promise now; that of a draft was written last."""
    proposed_version: Mapped[int | None] = mapped_column(Integer)
    """A version of a published campaign that waits for a second person."""
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    closed_since: Mapped[datetime | None]
    """Time at which a person paused or ended it; null while it is open, or where unknown."""
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class CampaignVersion(Table):
    """One version of a campaign's offer; insert-only."""

    __tablename__ = "campaign_versions"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"))
    version: Mapped[int] = mapped_column(Integer)
    name: Mapped[str]
    destination: Mapped[str]
    budget_minor: Mapped[int]
    terms: Mapped[dict[str, Any]]
    attribution: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """The attribution policy; empty for the default one."""
    link: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    starts_at: Mapped[datetime | None]
    """Null in a version of release 0.2, whose campaign alone had dates."""
    ends_at: Mapped[datetime | None]
    options: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    author: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    variants: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    """Name, weight and terms of each variant, terms being null for the version's own; null for
    none."""
    __table_args__ = (UniqueConstraint("campaign_id", "version"),)


class CampaignPublication(Table):
    """The publication of one version by a person; insert-only."""

    __tablename__ = "campaign_publications"
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    published_by: Mapped[str]
    published_at: Mapped[datetime] = mapped_column(server_default=NOW)


class SwitchRow(Table):
    """One turn of a kill switch; insert-only, and the latest of a scope counts."""

    __tablename__ = "switches"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    scope: Mapped[str] = mapped_column(String(96))
    is_off: Mapped[bool]
    reason: Mapped[str]
    switched_by: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_switches_scope", "scope", "id"),)


class RateTableRow(Table):
    """Exchange rates of one base currency, as one source published them; insert-only."""

    __tablename__ = "rate_tables"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    as_of: Mapped[datetime]
    source: Mapped[str]
    base: Mapped[str] = mapped_column(String(3))
    rates: Mapped[dict[str, Any]]
    """Decimal texts by currency: 1 unit of the base is so much."""
    currencies: Mapped[list[str]]
    """The base and the currencies that have a rate."""
    written_by: Mapped[str]
    written_at: Mapped[datetime]
    number: Mapped[int] = mapped_column(Identity(always=True))
    """Place in the order of writing."""
    __table_args__ = (
        UniqueConstraint("as_of", "source", "base"),
        Index("ix_rate_tables_latest", "as_of", "number"),
    )


class ReferralCode(Table):
    __tablename__ = "codes"
    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    player_id: Mapped[str] = mapped_column(String(64))
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    accepted_terms: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Acceptance of the terms that its player gave last; null where none was reported."""
    __table_args__ = (UniqueConstraint("player_id", "campaign_id"),)


class Share(Table):
    __tablename__ = "shares"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(ForeignKey("codes.code"))
    channel: Mapped[str] = mapped_column(String(32))
    shared_at: Mapped[datetime]
