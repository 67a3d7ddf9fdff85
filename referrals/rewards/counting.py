"""The number by which tiers are found."""

from sqlalchemy import func, select

from db.engine import ReadSession
from db.tables import ReferralRow
from domain.lifecycle.referral import Stage

REWARDED_STAGES = (Stage.REWARDED, Stage.SETTLED)


async def count_rewarded(session: ReadSession, referral: ReferralRow) -> int:
    """Return the referrer's rewarded referrals of the campaign, with this one counted.

    Exact while the referrer's row is locked, as every act locks it.
    """
    others = (
        select(func.count())
        .select_from(ReferralRow)
        .where(
            ReferralRow.referrer_id == referral.referrer_id,
            ReferralRow.campaign_id == referral.campaign_id,
            ReferralRow.stage.in_(REWARDED_STAGES),
            ReferralRow.id != referral.id,
        )
    )
    return 1 + (await session.scalar(others) or 0)
