"""The number by which tiers are found."""

from sqlalchemy import ColumnElement, func, select

from db.engine import ReadSession
from db.tables import HoldRow, ReferralRow
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason

REWARDED_STAGES = (Stage.REWARDED, Stage.SETTLED)


async def count_rewarded(
    session: ReadSession, referral: ReferralRow, *, with_ordered: bool = False
) -> int:
    """Return the referrer's rewarded referrals of the campaign, with this one counted.

    With a wallet those count, too, whose credit it was asked for. Exact while the referrer's row is
    locked, as every act locks it.
    """
    is_counted: ColumnElement[bool] = ReferralRow.stage.in_(REWARDED_STAGES)
    if with_ordered:
        pending = select(HoldRow.id).where(
            HoldRow.referral_id == ReferralRow.id,
            HoldRow.reason == HoldReason.PAYMENT_PENDING,
            HoldRow.cleared_at.is_(None),
        )
        is_counted = is_counted | ((ReferralRow.stage == Stage.HELD) & pending.exists())
    others = (
        select(func.count())
        .select_from(ReferralRow)
        .where(
            ReferralRow.referrer_id == referral.referrer_id,
            ReferralRow.campaign_id == referral.campaign_id,
            is_counted,
            ReferralRow.id != referral.id,
        )
    )
    return 1 + (await session.scalar(others) or 0)
