"""Views of cases: what a reviewer needs to decide one, read from every capability that knows it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select

from db import paging
from db.engine import ReadSession
from db.paging import Page, PageRequest, Position
from db.tables import (
    ApprovalRow,
    AssessmentRow,
    CaseNote,
    CaseReferral,
    CaseRow,
    PlayerCluster,
    ReferralRow,
    Review,
    Reward,
)
from domain.fraud.cases import CaseKind, CaseStatus, SubjectKind
from domain.intake.facts import Choice
from domain.money import Money, totals
from domain.rewards.reward import RewardStatus
from referrals.fraud.cases import clawbacks
from referrals.fraud.cases.second_person import standing_of
from referrals.fraud.cases.store import has_status, holder_of, status_of
from referrals.fraud.cases.versions import versions_of
from referrals.reporting.case_approvals import CaseApproval, current_approvals, load_approvals
from referrals.reporting.case_clusters import CaseCluster, load_clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseNoteView:
    text: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvidence:
    """The latest assessment of one referral of a case."""

    referral_id: UUID
    review_id: UUID | None
    assessment_id: UUID
    score: int
    verdict: str
    reasons: Sequence[str]
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDecisionView:
    decision: Choice
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    case_id: UUID
    version: str
    kind: CaseKind
    status: CaseStatus
    subject_kind: SubjectKind
    subject: str
    opened_at: datetime
    due_at: datetime
    escalated_at: datetime | None
    claimed_by: str | None
    claimed_until: datetime | None
    score: int
    reasons: Sequence[str]
    referrals: Sequence[UUID]
    reviews: Sequence[UUID]
    rewards: Sequence[UUID]
    amount: Sequence[Money]
    takes_back: Sequence[Money]
    """The money that a rejection takes back; nothing once the case is decided."""
    cluster: CaseCluster
    evidence: Sequence[CaseEvidence]
    notes: Sequence[CaseNoteView]
    approvals: Sequence[CaseApproval]
    decision: CaseDecisionView | None


@dataclass(frozen=True, slots=True)
class _Member:
    """A referral of a case with its review and its latest assessment."""

    paper: CaseReferral
    review: Review | None
    assessment: AssessmentRow | None

    @property
    def score(self) -> int:
        if self.review is not None:
            return self.review.score
        return self.assessment.score if self.assessment else 0

    @property
    def reasons(self) -> Sequence[str]:
        return self.review.reasons if self.review is not None else self.paper.reasons


@dataclass(frozen=True, slots=True)
class _Loaded:
    """All that is known about the cases of a page."""

    members: Mapping[UUID, list[_Member]]
    rewards: Mapping[UUID, list[Reward]]
    notes: Mapping[UUID, list[CaseNote]]
    approvals: Mapping[str, list[ApprovalRow]]
    clusters: Mapping[UUID, CaseCluster]
    versions: Mapping[UUID, str]


async def list_cases(
    session: ReadSession,
    page_request: PageRequest,
    *,
    status: CaseStatus | None,
    player_id: str | None,
    now: datetime,
    is_queue: bool = False,
) -> Page[CaseView]:
    """Return a page of cases; `player_id` is on either side, or in the cluster.

    The newest are first, or in a queue those that wait longest.
    """
    query = select(CaseRow)
    if status is not None:
        query = query.where(has_status(status, now=now))
    if player_id is not None:
        query = query.where(_is_about(player_id))
    in_order = paging.oldest_first if is_queue else paging.newest_first
    query = in_order(query, page_request, at=CaseRow.opened_at, id_=CaseRow.id)
    rows = (await session.scalars(query)).all()
    page = paging.cut_page(rows, page_request, lambda row: Position(row.opened_at, row.id))
    loaded = await _load(session, [row.id for row in page.items])
    return page.map(lambda items: [_view(row, loaded, now=now) for row in items])


async def find_case(session: ReadSession, case_id: UUID, *, now: datetime) -> CaseView | None:
    query = select(CaseRow).where(CaseRow.id == case_id).execution_options(populate_existing=True)
    row = await session.scalar(query)
    return _view(row, await _load(session, [row.id]), now=now) if row else None


def _is_about(player_id: str) -> ColumnElement[bool]:
    cluster_id = select(PlayerCluster.cluster_id).where(PlayerCluster.player_id == player_id)
    clustered = select(PlayerCluster.player_id).where(
        PlayerCluster.cluster_id == cluster_id.scalar_subquery()
    )
    of_player = or_(
        ReferralRow.referrer_id == player_id,
        ReferralRow.referee_id == player_id,
        ReferralRow.referrer_id.in_(clustered),
        ReferralRow.referee_id.in_(clustered),
    )
    return exists().where(
        CaseReferral.case_id == CaseRow.id,
        CaseReferral.referral_id.in_(select(ReferralRow.id).where(of_player)),
    )


async def _load(session: ReadSession, case_ids: Sequence[UUID]) -> _Loaded:
    members = await _members(session, case_ids)
    referral_ids = {one.paper.referral_id for found in members.values() for one in found}
    return _Loaded(
        members=members,
        rewards=await _rewards(session, referral_ids),
        notes=await _notes(session, case_ids),
        approvals=await load_approvals(session, case_ids),
        clusters=await load_clusters(session, case_ids),
        versions=await versions_of(session, case_ids),
    )


async def _members(session: ReadSession, case_ids: Sequence[UUID]) -> Mapping[UUID, list[_Member]]:
    assessment_id = func.coalesce(Review.assessment_id, ReferralRow.assessment_id)
    query = (
        select(CaseReferral, Review, AssessmentRow)
        .join(ReferralRow, ReferralRow.id == CaseReferral.referral_id)
        .outerjoin(Review, Review.id == CaseReferral.review_id)
        .outerjoin(AssessmentRow, AssessmentRow.id == assessment_id)
        .where(CaseReferral.case_id.in_(case_ids))
        .order_by(CaseReferral.added_at, CaseReferral.id)
        .execution_options(populate_existing=True)
    )
    members: defaultdict[UUID, list[_Member]] = defaultdict(list)
    for paper, review, assessment in await session.execute(query):
        members[paper.case_id].append(_Member(paper, review, assessment))
    return members


async def _rewards(session: ReadSession, referral_ids: set[UUID]) -> Mapping[UUID, list[Reward]]:
    query = select(Reward).where(Reward.referral_id.in_(referral_ids))
    rewards: defaultdict[UUID, list[Reward]] = defaultdict(list)
    for row in await session.scalars(query.order_by(Reward.created_at, Reward.id)):
        rewards[row.referral_id].append(row)
    return rewards


async def _notes(session: ReadSession, case_ids: Sequence[UUID]) -> Mapping[UUID, list[CaseNote]]:
    query = select(CaseNote).where(CaseNote.case_id.in_(case_ids))
    notes: defaultdict[UUID, list[CaseNote]] = defaultdict(list)
    for row in await session.scalars(query.order_by(CaseNote.at, CaseNote.id)):
        notes[row.case_id].append(row)
    return notes


def _view(row: CaseRow, loaded: _Loaded, *, now: datetime) -> CaseView:
    members = loaded.members.get(row.id, [])
    referral_ids = list(dict.fromkeys(one.paper.referral_id for one in members))
    rewards = [reward for id_ in referral_ids for reward in loaded.rewards.get(id_, [])]
    credited = _taken_back_by_a_rejection(row, rewards)
    holder = holder_of(row, now=now)
    return CaseView(
        case_id=row.id,
        version=loaded.versions.get(row.id, ""),
        kind=row.kind,
        status=status_of(row, now=now),
        subject_kind=row.subject_kind,
        subject=row.subject,
        opened_at=row.opened_at,
        due_at=row.due_at,
        escalated_at=row.escalated_at,
        claimed_by=holder,
        claimed_until=row.claimed_until if holder else None,
        score=max((one.score for one in members), default=0),
        reasons=list(dict.fromkeys(reason for one in members for reason in one.reasons)),
        referrals=referral_ids,
        reviews=[one.review.id for one in members if one.review],
        rewards=[reward.id for reward in rewards],
        amount=totals(Money(reward.amount_minor, reward.currency) for reward in rewards),
        takes_back=standing_of(credited),
        cluster=loaded.clusters.get(row.id, CaseCluster()),
        evidence=[_evidence(one, one.assessment) for one in members if one.assessment],
        notes=[CaseNoteView(text=n.text, author=n.author, at=n.at) for n in loaded.notes[row.id]],
        approvals=current_approvals(
            loaded.approvals[f"case:{row.id}"],
            row.id,
            undecided=[one.review for one in members if one.review and one.review.status == "open"],
            credited=credited,
        ),
        decision=_decision(row),
    )


def _evidence(member: _Member, assessment: AssessmentRow) -> CaseEvidence:
    return CaseEvidence(
        referral_id=member.paper.referral_id,
        review_id=member.paper.review_id,
        assessment_id=assessment.id,
        score=assessment.score,
        verdict=assessment.verdict,
        reasons=assessment.reasons,
        evidence=assessment.evidence,
    )


def _taken_back_by_a_rejection(row: CaseRow, rewards: Sequence[Reward]) -> list[Reward]:
    if row.status != CaseStatus.OPEN or not clawbacks.takes_back(row):
        return []
    return [reward for reward in rewards if reward.status is RewardStatus.ISSUED]


def _decision(row: CaseRow) -> CaseDecisionView | None:
    if row.decision is None or row.decided_at is None:
        return None
    return CaseDecisionView(
        decision=row.decision, reason=row.reason or "", by=row.decided_by or "", at=row.decided_at
    )
