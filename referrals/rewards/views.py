"""Views of rewards, each with the deposit and the assessment behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, select

from db import paging
from db.engine import ReadSession
from db.paging import Page, PageRequest, Position
from db.tables import Reward
from domain.campaigns.rules import RewardType
from domain.money import Money, RewardKind
from domain.rewards.computed import write_flat
from domain.rewards.holds import HoldReason
from domain.rewards.reward import RewardStatus
from referrals.rewards.hold_views import HoldView, open_holds_by_referral


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardView:
    reward_id: UUID
    referral_id: UUID
    player_id: str
    reward_type: RewardType
    kind: RewardKind
    amount: Money
    computation: Mapping[str, Any]
    status: RewardStatus
    held_until: datetime | None
    deferred_until: datetime | None = None
    """First instant of the next period of the limit that the reward waits for."""
    deferred_reason: HoldReason | None = None
    """Reason for which the reward is DEFERRED."""
    deposit_event_id: str
    assessment_id: UUID | None
    qualification_id: UUID | None
    created_at: datetime
    changed_at: datetime


UNTIL_THE_NEXT_PERIOD: Final = frozenset({HoldReason.LIMIT, HoldReason.TAX})
"""Reasons of holds that end with a period of the calendar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardFilter:
    referral_id: UUID | None = None
    player_id: str | None = None
    status: RewardStatus | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        return paging.given_conditions(
            (self.referral_id, Reward.referral_id == self.referral_id),
            (self.player_id, Reward.player_id == self.player_id),
            (self.status, Reward.status == self.status),
        )


async def list_rewards(
    session: ReadSession, filters: RewardFilter, page_request: PageRequest
) -> Page[RewardView]:
    query = paging.newest_first(
        select(Reward).where(*filters.conditions()),
        page_request,
        at=Reward.created_at,
        id_=Reward.id,
    )
    rows = (await session.scalars(query)).all()
    page = paging.cut_page(rows, page_request, lambda row: Position(row.created_at, row.id))
    deferred = {r.referral_id for r in page.items if r.status is RewardStatus.DEFERRED}
    holds = await open_holds_by_referral(session, deferred)
    return page.map(lambda items: [reward_view(r, holds.get(r.referral_id, ())) for r in items])


def reward_view(row: Reward, holds: Sequence[HoldView] = ()) -> RewardView:
    """Return the view of a reward, given the open holds of its referral where it is deferred."""
    is_deferred = row.status is RewardStatus.DEFERRED
    hold = next(iter(holds), None) if is_deferred else None
    return RewardView(
        reward_id=row.id,
        referral_id=row.referral_id,
        player_id=row.player_id,
        reward_type=row.reward_type,
        kind=row.key.kind,
        amount=Money(row.standing_minor, row.currency),
        computation=row.computation or write_flat(Money(row.amount_minor, row.currency)),
        status=row.status,
        held_until=row.held_until,
        deferred_until=hold.until if hold and hold.reason in UNTIL_THE_NEXT_PERIOD else None,
        deferred_reason=hold.reason if hold else None,
        deposit_event_id=row.deposit_event_id,
        assessment_id=row.assessment_id,
        qualification_id=row.qualification_id,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
