"""Filing: open reviews and requests become referrals of cases, by cluster, else by referrer.

The acts know nothing of cases: a review is filed after the act that opened it, by one courier at a
time. So no act waits for another referral's case, and reviews that an earlier release opened are
filed, too.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.dialects.postgresql import insert

from db.engine import ReadSession, Session
from db.tables import CaseReferral, CaseRequest, CaseRow, ReferralRow, Review
from domain.derived_ids import derived_id
from domain.fraud.cases import CaseKind, CaseStatus, SubjectKind
from referrals.fraud.cases import deliveries
from referrals.fraud.cases.store import OPEN_REVIEW
from referrals.fraud.clusters import cluster_of
from referrals.lifecycle.stages import terms_of

MAX_CASE_REFERRALS: Final = 200
"""Bound of the referrals of one case, which one decision decides in one transaction."""
_NAMESPACE: Final = UUID("0d1c7f0b-2d0e-4a7c-9a50-0e5c4f0a9f27")
_LOCK: Final = "cases are filed"

# The first in the order of its index: `exists` would do with any row, and a plan that was made
# while many waited would look for one among all that were ever there.
IS_WAITING: Final = text("""
    select coalesce(
        (select true from reviews
          where status = 'open' and case_id is null order by opened_at limit 1),
        (select true from case_requests where filed_at is null order by requested_at limit 1)
    )
""")
"""Query whether a doubt is to be filed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paper:
    """One doubt about one referral, to be filed in a case of its subject."""

    id: UUID
    kind: CaseKind
    referral: ReferralRow
    reasons: list[str]
    opened_at: datetime
    review: Review | None = None


_Subject = tuple[CaseKind, SubjectKind, str]


@dataclass(slots=True)
class _OpenCase:
    row: CaseRow
    referrals: int


@dataclass(slots=True)
class _Filing:
    """One batch, which remembers the open case of each subject that it has met."""

    session: Session
    max_referrals: int
    open_cases: dict[_Subject, _OpenCase] = field(default_factory=dict)

    async def file(self, paper: _Paper) -> None:
        subject = await _subject_of(self.session, paper)
        found = self.open_cases.get(subject) or await _find_open(self.session, subject)
        if found is None or found.referrals >= self.max_referrals:
            found = _OpenCase(await _open(self.session, subject, paper), 0)
        self.open_cases[subject] = found
        if not await _says_it_already(self.session, found.row, paper):
            await _add(self.session, found.row, paper)
            found.referrals += 1


async def file_doubts(
    session: Session, *, limit: int, max_referrals: int = MAX_CASE_REFERRALS
) -> int:
    """File up to `limit` open reviews, and as many requests, each oldest first; return how many.

    Returns 0 while another courier files.
    """
    taken = await session.scalar(
        select(func.pg_try_advisory_xact_lock(func.hashtextextended(_LOCK, 0)))
    )
    if not taken:
        return 0
    papers = [*await _unfiled_reviews(session, limit), *await _unfiled_requests(session, limit)]
    filing = _Filing(session, max_referrals)
    for paper in papers:
        await filing.file(paper)
    await deliveries.enqueue(session, [found.row.id for found in filing.open_cases.values()])
    return len(papers)


async def _unfiled_reviews(session: Session, limit: int) -> list[_Paper]:
    query = (
        select(Review, ReferralRow)
        .join(ReferralRow, ReferralRow.id == Review.referral_id)
        .where(Review.status == OPEN_REVIEW, Review.case_id.is_(None))
        .order_by(Review.opened_at)
        .limit(limit)
        .with_for_update(of=Review, skip_locked=True)
    )
    return [_of_review(row) for row in await session.execute(query)]


async def _unfiled_requests(session: Session, limit: int) -> list[_Paper]:
    query = (
        select(CaseRequest, ReferralRow)
        .join(ReferralRow, ReferralRow.id == CaseRequest.referral_id)
        .where(CaseRequest.filed_at.is_(None))
        .order_by(CaseRequest.requested_at)
        .limit(limit)
        .with_for_update(of=CaseRequest, skip_locked=True)
    )
    rows = (await session.execute(query)).all()
    for request, _ in rows:
        request.filed_at = func.now()
    return [
        _Paper(
            id=request.id,
            kind=request.kind,
            referral=referral,
            reasons=list(request.reasons),
            opened_at=request.requested_at,
        )
        for request, referral in rows
    ]


def _of_review(row: Row[Review, ReferralRow]) -> _Paper:
    review, referral = row
    return _Paper(
        id=review.id,
        kind=CaseKind.HELD,
        referral=referral,
        reasons=list(review.reasons),
        opened_at=review.opened_at,
        review=review,
    )


async def _subject_of(session: ReadSession, paper: _Paper) -> _Subject:
    """Return the cluster of the referee, else of the referrer, else the referrer."""
    referral = paper.referral
    if paper.kind is CaseKind.SAMPLE:
        return paper.kind, SubjectKind.REFERRAL, str(referral.id)
    for player_id in (referral.referee_id, referral.referrer_id):
        cluster_id = await cluster_of(session, player_id) if player_id else None
        if cluster_id is not None:
            return paper.kind, SubjectKind.CLUSTER, str(cluster_id)
    return paper.kind, SubjectKind.REFERRER, referral.referrer_id


async def _find_open(session: Session, subject: _Subject) -> _OpenCase | None:
    """Lock the newest open case of a subject, so that nobody decides it meanwhile."""
    kind, subject_kind, name = subject
    row = await session.scalar(
        select(CaseRow)
        .where(
            CaseRow.kind == kind,
            CaseRow.subject_kind == subject_kind,
            CaseRow.subject == name,
            CaseRow.status == CaseStatus.OPEN,
        )
        .order_by(CaseRow.number.desc())
        .limit(1)
        .with_for_update(key_share=True)
    )
    if row is None:
        return None
    counted = select(func.count()).where(CaseReferral.case_id == row.id)
    return _OpenCase(row, await session.scalar(counted) or 0)


async def _open(session: Session, subject: _Subject, paper: _Paper) -> CaseRow:
    kind, subject_kind, name = subject
    known = select(func.count()).where(
        CaseRow.kind == kind, CaseRow.subject_kind == subject_kind, CaseRow.subject == name
    )
    number = (await session.scalar(known) or 0) + 1
    period = terms_of(paper.referral).review_period
    row = CaseRow(
        id=derived_id(_NAMESPACE, kind, subject_kind, name, str(number)),
        kind=kind,
        subject_kind=subject_kind,
        subject=name,
        number=number,
        status=CaseStatus.OPEN,
        opened_at=paper.opened_at,
        review_period=period,
        due_at=paper.opened_at + period,
    )
    session.add(row)
    await session.flush()
    return row


async def _says_it_already(session: ReadSession, case: CaseRow, paper: _Paper) -> bool:
    """Return whether an open case is about the same referral for the same reasons."""
    if paper.review is not None:
        return False
    same = select(CaseReferral.id).where(
        CaseReferral.case_id == case.id,
        CaseReferral.referral_id == paper.referral.id,
        CaseReferral.reasons.contains(paper.reasons),
    )
    return await session.scalar(same.limit(1)) is not None


async def _add(session: Session, case: CaseRow, paper: _Paper) -> None:
    values = {
        "id": derived_id(case.id, "referral", str(paper.id)),
        "case_id": case.id,
        "referral_id": paper.referral.id,
        "review_id": paper.review and paper.review.id,
        "reasons": paper.reasons,
        "added_at": paper.opened_at,
    }
    await session.execute(insert(CaseReferral).values(values).on_conflict_do_nothing())
    if paper.review is not None:
        paper.review.case_id = case.id
