"""Rewards, the qualifications they rest on, and the holds that they wait for."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import NOW, Table
from domain.campaigns.rules import RewardKey, RewardType
from domain.intake.facts import FactKind
from domain.money import RewardKind
from domain.rewards.holds import HoldReason
from domain.rewards.reward import RewardStatus


class Reward(Table):
    __tablename__ = "rewards"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    reward_type: Mapped[RewardType]
    kind: Mapped[RewardKind | None]
    """Null for cash, as the chain has the rewards of before there were others."""
    player_id: Mapped[str] = mapped_column(String(64))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[RewardStatus]
    held_until: Mapped[datetime | None]
    """End of the hold period; a review may hold the reward longer."""
    cycle: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Number of times that it was reversed or no longer reserved; part of its transfers' ids."""
    deposit_event_id: Mapped[str] = mapped_column(String(96))
    computation: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Record of how the amount was found; null for a flat one."""
    due_minor: Mapped[int | None]
    """Minor units that stand credited of a computed reward, after refunds; null for all of it."""
    qualification_id: Mapped[UUID | None]
    """Null for rewards credited before release 0.3, which rest on one deposit."""
    campaign_version_id: Mapped[UUID] = mapped_column(ForeignKey("campaign_versions.id"))
    assessment_id: Mapped[UUID | None]
    counted_at: Mapped[datetime | None]
    """Time at which it took its place under the limits of its terms; null where they have none."""
    taxed_at: Mapped[datetime | None]
    """Time in whose tax year it counts; null where no yearly threshold was set."""
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    __table_args__ = (
        Index(
            "uq_rewards_side_and_kind",
            "referral_id",
            "reward_type",
            text("coalesce(kind, 'cash')"),
            unique=True,
        ),
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("kind in ('cash', 'bonus_bet')", name="kind"),
        Index("ix_rewards_player", "player_id", "created_at"),
        Index("ix_rewards_newest", "created_at", "id"),
        Index("ix_rewards_status", "status", "created_at", "id"),
        Index(
            "ix_rewards_counted",
            "campaign_version_id",
            "counted_at",
            postgresql_where=text("counted_at is not null"),
        ),
        Index(
            "ix_rewards_taxed",
            "player_id",
            "taxed_at",
            postgresql_where=text("taxed_at is not null"),
        ),
    )

    @property
    def key(self) -> RewardKey:
        return RewardKey(self.reward_type, self.kind or RewardKind.CASH)

    @property
    def standing_minor(self) -> int:
        """Return what stands of it after adjustments, in minor units, if it is ISSUED."""
        return self.amount_minor if self.due_minor is None else self.due_minor


class QualificationRow(Table):
    """One attempt of a referral: a set of facts that met its terms; insert-only."""

    __tablename__ = "qualifications"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    attempt: Mapped[int] = mapped_column(Integer)
    """Number of the qualification among those of its referral, from 1."""
    met_at: Mapped[datetime]
    """Event time at which the facts met the terms."""
    created_at: Mapped[datetime]
    """Time of the act that found it; its hold period runs from here."""
    condition_trace: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    """Each leaf of the campaign's condition with the value that it met; null without one."""
    __table_args__ = (
        UniqueConstraint("referral_id", "attempt"),
        CheckConstraint("attempt >= 1", name="attempt"),
        Index("ix_qualifications_met", "met_at", postgresql_using="brin"),
    )


class QualificationFact(Table):
    """A fact that a qualification rests on; insert-only."""

    __tablename__ = "qualification_facts"
    qualification_id: Mapped[UUID] = mapped_column(
        ForeignKey("qualifications.id"), primary_key=True
    )
    kind: Mapped[FactKind] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(96), primary_key=True)


class HoldRow(Table):
    """A reason why a referral's rewards are not credited yet; open until it is cleared."""

    __tablename__ = "holds"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    attempt: Mapped[int] = mapped_column(Integer)
    reason: Mapped[HoldReason]
    detail: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    """Reason codes beneath the reason, such as those of the assessment."""
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    """The time at which it ends by itself; null where only an event ends it."""
    cleared_at: Mapped[datetime | None]
    cleared_by: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("(cleared_at is null) = (cleared_by is null)", name="cleared"),
        Index(
            "uq_holds_open",
            "referral_id",
            "reason",
            unique=True,
            postgresql_where=text("cleared_at is null"),
        ),
        Index("ix_holds_referral", "referral_id"),
        Index(
            "ix_holds_limit",
            "since",
            "referral_id",
            postgresql_where=text("reason = 'limit' and cleared_at is null"),
        ),
        Index(
            "ix_holds_no_rate",
            "since",
            "referral_id",
            postgresql_where=text("reason = 'no_rate' and cleared_at is null"),
        ),
        Index(
            "ix_holds_tax",
            "since",
            "referral_id",
            postgresql_where=text("reason = 'tax' and cleared_at is null"),
        ),
    )


class TaxYearRow(Table):
    """A tax year in which a player's rewards were judged by a threshold, or released."""

    __tablename__ = "tax_years"
    player_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    begins_on: Mapped[date] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime] = mapped_column(server_default=NOW)
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("(released_at is null) = (released_by is null)", name="released"),
    )
