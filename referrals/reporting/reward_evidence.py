"""Evidence of a reward: the way from the events that earned it to the entries of its money."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import (
    AssessmentRow,
    CampaignVersion,
    QualificationFact,
    QualificationRow,
    ReferralRow,
    Reward,
)
from domain.campaigns.conditions.evaluation import Judged, read_judged
from domain.campaigns.terms import Terms
from domain.intake.facts import FactKind
from domain.money import Money
from domain.rewards.computed import frozen_of
from domain.rewards.due import due
from domain.rewards.qualification import Qualification, qualification_of
from referrals.access import audit_views
from referrals.access.audit_views import AuditView
from referrals.campaigns.exchange.lookup import terms_with_rates
from referrals.fraud import review_views
from referrals.fraud.assessment_views import AssessmentView, assessment_view
from referrals.fraud.cases import clawbacks
from referrals.fraud.review_views import ReviewView
from referrals.intake import facts
from referrals.ledger import transfer_views
from referrals.ledger.transfer_views import TransferView
from referrals.lifecycle.stages import terms_of
from referrals.reporting import fact_views, referral_views
from referrals.reporting.fact_views import FactView
from referrals.reporting.referral_views import ReferralView
from referrals.rewards import hold_views
from referrals.rewards.hold_views import HoldView
from referrals.rewards.views import RewardView, reward_view

MAX_ROWS: Final = 200
"""Upper limit of the rows in each list; far more than one reward ever has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    """The version of the campaign whose terms were promised."""

    campaign_version_id: UUID
    campaign: str
    version: int
    name: str
    author: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QualificationView:
    """The deposits that earned a reward; before release 0.3 they had no id and no attempt."""

    qualification_id: UUID | None
    attempt: int | None
    event_ids: tuple[str, ...]
    met_at: datetime | None
    left: Money | None
    """Sum that is left of its deposits today; None where none of them is recorded."""
    due: Money
    """Amount of the reward by today's facts and its terms."""
    conditions: Sequence[Judged]
    """Leaves of the campaign's condition, each with the value by which it was judged then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardEvidence:
    reward: RewardView
    referral: ReferralView
    terms: Terms
    campaign_version: VersionView
    facts: Sequence[FactView]
    qualification: QualificationView
    assessment: AssessmentView | None
    holds: Sequence[HoldView]
    decisions: Sequence[ReviewView]
    transfers: Sequence[TransferView]
    audit: Sequence[AuditView]


async def find_evidence(session: ReadSession, reward_id: UUID) -> RewardEvidence | None:
    """Read everything behind a reward; the session must read one snapshot."""
    reward = await session.scalar(select(Reward).where(Reward.id == reward_id))
    if reward is None:
        return None
    row = (
        await session.scalars(select(ReferralRow).where(ReferralRow.id == reward.referral_id))
    ).one()
    version = (
        await session.scalars(
            select(CampaignVersion).where(CampaignVersion.id == reward.campaign_version_id)
        )
    ).one()
    rejected_in = await clawbacks.find_case(session, row.id)
    qualification = await _qualification(session, reward, row, is_rejected=bool(rejected_in))
    referral = await referral_views.view_referral(session, row)
    decisions = await review_views.decided_reviews(session, row.id, limit=MAX_ROWS)
    return RewardEvidence(
        reward=reward_view(reward, referral.holds),
        referral=referral,
        terms=terms_of(row),
        campaign_version=_version_view(row, version),
        facts=await fact_views.counting_facts(
            session, row, qualification.event_ids, limit=MAX_ROWS
        ),
        qualification=qualification,
        assessment=await _assessment(session, reward),
        holds=await hold_views.holds_of_referral(session, row.id, limit=MAX_ROWS),
        decisions=decisions,
        transfers=await transfer_views.transfers_of_reward(
            session, reward.id, referral_id=row.id, player_id=reward.player_id, limit=MAX_ROWS
        ),
        audit=await audit_views.find_actions(
            session,
            _audited(row, decisions, rejected_in),
            campaign=row.campaign_slug,
            campaign_version=version.version,
            limit=MAX_ROWS,
        ),
    )


async def _qualification(
    session: ReadSession, reward: Reward, row: ReferralRow, *, is_rejected: bool
) -> QualificationView:
    stored = await session.scalar(
        select(QualificationRow).where(QualificationRow.id == reward.qualification_id)
    )
    event_ids = await _event_ids(session, stored.id) if stored else (reward.deposit_event_id,)
    money_facts = await facts.facts_of_player(
        session, row.referee_id or "", FactKind.DEPOSIT, FactKind.CHARGEBACK
    )
    found = qualification_of(event_ids, money_facts)
    frozen = frozen_of(reward.computation) if reward.computation else None
    terms = await terms_with_rates(session, row, terms_of(row))
    return QualificationView(
        qualification_id=stored.id if stored else None,
        attempt=stored.attempt if stored else None,
        event_ids=tuple(event_ids),
        met_at=_met_at(stored, found),
        left=found.left if found else None,
        due=due(None if is_rejected else found, terms, frozen)[reward.key],
        conditions=[read_judged(one) for one in (stored and stored.condition_trace) or ()],
    )


def _met_at(stored: QualificationRow | None, found: Qualification | None) -> datetime | None:
    if stored is not None:
        return stored.met_at
    return found.met_at if found else None


async def _event_ids(session: ReadSession, qualification_id: UUID) -> Collection[str]:
    query = select(QualificationFact.event_id).where(
        QualificationFact.qualification_id == qualification_id
    )
    return (await session.scalars(query.order_by(QualificationFact.event_id))).all()


async def _assessment(session: ReadSession, reward: Reward) -> AssessmentView | None:
    row = await session.scalar(
        select(AssessmentRow).where(AssessmentRow.id == reward.assessment_id)
    )
    return assessment_view(row) if row else None


def _version_view(row: ReferralRow, version: CampaignVersion) -> VersionView:
    return VersionView(
        campaign_version_id=version.id,
        campaign=row.campaign_slug,
        version=version.version,
        name=version.name,
        author=version.author,
        created_at=version.created_at,
    )


def _audited(
    row: ReferralRow, decisions: Sequence[ReviewView], rejected_in: UUID | None
) -> list[str]:
    """Return the subjects under which people's acts on this referral are in the audit."""
    reviewed = [f"review:{review.review_id}" for review in decisions]
    if rejected_in is not None:
        reviewed.append(f"case:{rejected_in}")
    return [*reviewed, *([f"player:{row.referee_id}"] if row.referee_id else [])]
