"""Open holds of referrals, with those that release 0.2 began and stored in other places."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import ReferralRow, Review, Reward
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from referrals.campaigns.versions import has_currencies
from referrals.fraud.reviews import OPEN
from referrals.rewards.hold_views import HoldView, open_holds_by_referral

HOLDING_STAGES: Final = frozenset({Stage.HELD, Stage.DEFERRED})
NOT_ELIGIBLE: Final = "player_not_eligible"
"""The only reason of a review that 0.2 opened because a player might not be credited."""


async def open_holds(
    session: ReadSession, rows: Sequence[ReferralRow]
) -> dict[UUID, tuple[HoldView, ...]]:
    """Return the open holds of each referral that waits for something before it is credited."""
    holding = [row for row in rows if _may_have_holds(row)]
    found = await open_holds_by_referral(session, [row.id for row in holding])
    unwritten = [row for row in holding if row.id not in found and row.stage in HOLDING_STAGES]
    return found | await _holds_before_rows(session, unwritten) if unwritten else found


def _may_have_holds(row: ReferralRow) -> bool:
    """Return whether a referral may wait; for a rate, it does so before it qualifies."""
    waits_for_rate = row.stage is Stage.SIGNED_UP and has_currencies(row.terms)
    return row.stage in HOLDING_STAGES or row.awaits_funds or waits_for_rate


async def _holds_before_rows(
    session: ReadSession, rows: Sequence[ReferralRow]
) -> dict[UUID, tuple[HoldView, ...]]:
    """Return the holds of referrals on which no act of this release has looked yet."""
    ids = [row.id for row in rows]
    reviews = {
        review.referral_id: review
        for review in await session.scalars(
            select(Review).where(Review.referral_id.in_(ids), Review.status == OPEN)
        )
    }
    rewards = {
        reward.referral_id: reward
        for reward in await session.scalars(select(Reward).where(Reward.referral_id.in_(ids)))
    }
    return {row.id: tuple(_holds_of(row, reviews.get(row.id), rewards.get(row.id))) for row in rows}


def _holds_of(row: ReferralRow, review: Review | None, reward: Reward | None) -> list[HoldView]:
    if row.stage is Stage.DEFERRED and reward:
        return [HoldView(reason=HoldReason.FUNDS, since=reward.changed_at, until=row.until)]
    holds = []
    if review is not None:
        detail, since = tuple(review.reasons), review.opened_at
        reason = HoldReason.INELIGIBLE if detail == (NOT_ELIGIBLE,) else HoldReason.REVIEW
        holds.append(HoldView(reason=reason, detail=detail, since=since, until=None))
    if reward is not None and reward.held_until and reward.held_until > reward.created_at:
        since, until = reward.created_at, reward.held_until
        holds.append(HoldView(reason=HoldReason.HOLD_PERIOD, since=since, until=until))
    return holds
