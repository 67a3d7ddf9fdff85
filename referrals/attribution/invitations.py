"""A referral and what else invited the same visitor, locked together in one order."""

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import aliased

from db.engine import Session
from db.tables import Campaign, CampaignVersion, ReferralRow
from domain.attribution.policy import Policy
from domain.lifecycle.referral import Stage
from referrals.campaigns.versions import IS_CURRENT_VERSION, policy_from


@dataclass(slots=True)
class LockedInvitations:
    """`others` are open; the one that was wanted may be anywhere in its life, or not exist."""

    wanted: ReferralRow | None = None
    others: list[ReferralRow] = field(default_factory=list)
    policies: dict[str, Policy] = field(default_factory=dict)


async def lock_all_with_siblings(session: Session, referral_ids: Collection[UUID]) -> None:
    """Several of them with what else invited their visitors, in the order of all."""
    wanted = [or_(ReferralRow.id == id_, _is_sibling_of(id_)) for id_ in referral_ids]
    query = select(ReferralRow.id).where(or_(false(), *wanted)).order_by(ReferralRow.id)
    await session.execute(query.with_for_update(key_share=True))


async def locked(session: Session, referral_id: UUID) -> LockedInvitations:
    found = LockedInvitations()
    rows = await session.execute(
        select(ReferralRow, CampaignVersion.attribution)
        .join(Campaign, Campaign.id == ReferralRow.campaign_id)
        .join(CampaignVersion, IS_CURRENT_VERSION)
        .where(or_(ReferralRow.id == referral_id, _is_sibling_of(referral_id)))
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


def _is_sibling_of(referral_id: UUID) -> ColumnElement[bool]:
    """What else is open of its visitor."""
    wanted = aliased(ReferralRow)
    visitor = select(wanted.visitor).where(wanted.id == referral_id).scalar_subquery()
    return and_(ReferralRow.visitor == visitor, ReferralRow.stage == Stage.INVITED)
