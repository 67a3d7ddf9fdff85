"""Rewards."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table
from domain.rewards.reward import RewardStatus, RewardType


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
    """End of the hold period; a review may hold the reward longer."""
    cycle: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Number of times the reward was reversed; part of the ids of its transfers."""
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
