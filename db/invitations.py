"""A referral and what else invited the same visitor, locked together in one order."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from db.engine import Session
from db.policies import policy_from
from db.tables import Campaign, CampaignVersion, ReferralRow
from domain.attribution import Policy
from domain.referral import Stage


@dataclass(slots=True)
class Locked:
    """`others` are open; the one that was wanted may be anywhere in its life, or not exist."""

    wanted: ReferralRow | None = None
    others: list[ReferralRow] = field(default_factory=list)
    policies: dict[str, Policy] = field(default_factory=dict)


async def locked(session: Session, referral_id: UUID) -> Locked:
    found = Locked()
    wanted = aliased(ReferralRow)
    visitor = select(wanted.visitor).where(wanted.id == referral_id).scalar_subquery()
    others = and_(ReferralRow.visitor == visitor, ReferralRow.stage == Stage.INVITED)
    rows = await session.execute(
        select(ReferralRow, CampaignVersion.attribution)
        .join(Campaign, Campaign.id == ReferralRow.campaign_id)
        .join(
            CampaignVersion,
            (CampaignVersion.campaign_id == Campaign.id)
            & (CampaignVersion.version == Campaign.version),
        )
        .where(or_(ReferralRow.id == referral_id, others))
        .order_by(ReferralRow.id)
        .with_for_update(key_share=True, of=ReferralRow)
        .execution_options(populate_existing=True)
    )
    for row, policy in rows:
        found.policies[row.campaign_slug] = policy_from(policy)
        if row.id == referral_id:
            found.wanted = row
        else:
            found.others.append(row)
    return found
