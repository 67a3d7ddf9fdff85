"""Views of referrals: the stage, the attribution, the assessment and the rewards of each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, select, union

from db import paging
from db.engine import ReadSession
from db.paging import Page, PageRequest, Position
from db.tables import (
    AssessmentRow,
    LetGoInvitation,
    ReferralCode,
    ReferralRow,
    Reward,
    TimelineRow,
)
from domain.attribution.policy import Method
from domain.lifecycle.reasons import code_of
from domain.lifecycle.referral import Stage
from referrals.attribution import log_views
from referrals.attribution.log_views import TouchView
from referrals.fraud.assessment_views import AssessmentView, assessment_view
from referrals.reporting import hold_reading
from referrals.rewards.hold_views import HoldView
from referrals.rewards.views import RewardView, reward_view


@dataclass(frozen=True, slots=True)
class AttributionView:
    method: Method
    confidence: float
    candidates: tuple[TouchView, ...]


@dataclass(frozen=True, slots=True)
class StageChange:
    """One row of a referral's timeline."""

    stage: Stage
    at: datetime
    reason: str | None
    reason_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralView:
    referral_id: UUID
    stage: Stage
    until: datetime
    campaign: str
    variant: str | None
    """Variant whose rewards were promised; None where the version had none."""
    accepted_terms: Mapping[str, Any]
    """Acceptances by `referrer` and `referee`, where they were reported."""
    code: str
    referrer_id: str
    referee_id: str | None
    invited_at: datetime
    attribution: AttributionView | None
    assessment: AssessmentView | None
    holds: tuple[HoldView, ...]
    """Open holds of its rewards: at HELD, at DEFERRED, and at REVERSED while it is due again."""
    rewards: tuple[RewardView, ...]
    timeline: tuple[StageChange, ...] = ()
    """Every stage it entered, oldest first; read for a single referral only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFilter:
    """Filters by player on one side or either, by stage, campaign and code; None means any."""

    referrer_id: str | None = None
    referee_id: str | None = None
    either_side: str | None = None
    stage: Stage | None = None
    campaign: str | None = None
    code: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        return paging.given_conditions(
            (self.referrer_id, ReferralRow.referrer_id == self.referrer_id),
            (self.referee_id, ReferralRow.referee_id == self.referee_id),
            (self.stage, ReferralRow.stage == self.stage),
            (self.campaign, ReferralRow.campaign_slug == self.campaign),
            (self.code, ReferralRow.code == self.code),
            # The code's own referrals are found by its player, for whom there is an index.
            (self.code, ReferralRow.referrer_id == _owner_of(self.code)),
        )

    def sides(self) -> list[ColumnElement[bool]]:
        """Return the conditions of which a referral meets one at least, each with its index."""
        if self.either_side is None:
            return []
        columns = (ReferralRow.referrer_id, ReferralRow.referee_id)
        return [column == self.either_side for column in columns]


async def find_referral(session: ReadSession, referral_id: UUID) -> ReferralView | None:
    row = await session.scalar(select(ReferralRow).where(ReferralRow.id == referral_id))
    return None if row is None else await view_referral(session, row)


async def view_referral(session: ReadSession, row: ReferralRow) -> ReferralView:
    """Return the view of a referral with its timeline."""
    view = (await _views(session, [row]))[0]
    timeline = await _timeline(session, row.id) or await _timeline_let_go(session, row)
    return replace(view, timeline=timeline)


async def list_referrals(
    session: ReadSession, filters: ReferralFilter, page_request: PageRequest
) -> Page[ReferralView]:
    newest = partial(
        paging.newest_first,
        page_request=page_request,
        at=ReferralRow.invited_at,
        id_=ReferralRow.id,
    )
    found = [newest(_ids(*filters.conditions(), side)).subquery() for side in filters.sides()]
    query = select(ReferralRow).where(*filters.conditions())
    if found:
        query = query.where(ReferralRow.id.in_(union(*(select(each.c.id) for each in found))))
    rows = (await session.scalars(newest(query))).all()
    page = paging.cut_page(rows, page_request, lambda row: Position(row.invited_at, row.id))
    return Page(await _views(session, page.items), page.next_position)


def _ids(*conditions: ColumnElement[bool]) -> Select[Any]:
    return select(ReferralRow.id).where(*conditions)


def _owner_of(code: str | None) -> ScalarSelect[str]:
    return select(ReferralCode.player_id).where(ReferralCode.code == code).scalar_subquery()


async def _timeline(session: ReadSession, referral_id: UUID) -> tuple[StageChange, ...]:
    rows = await session.scalars(
        select(TimelineRow).where(TimelineRow.referral_id == referral_id).order_by(TimelineRow.step)
    )
    return tuple(
        StageChange(row.stage, row.at, row.reason, row.reason_code or code_of(row.reason))
        for row in rows
    )


async def _timeline_let_go(session: ReadSession, row: ReferralRow) -> tuple[StageChange, ...]:
    """Return what the timeline of an invitation said that came to nothing."""
    gone = await session.get(LetGoInvitation, row.id)
    if gone is None:
        return ()
    code = gone.reason_code or code_of(gone.reason)
    return (
        StageChange(Stage.INVITED, row.invited_at, None, None),
        StageChange(Stage.EXPIRED, gone.expired_at, gone.reason, code),
    )


async def _views(session: ReadSession, rows: Sequence[ReferralRow]) -> list[ReferralView]:
    assessments = await _assessments(session, [row.assessment_id for row in rows])
    bound = [row.id for row in rows if row.attribution_method is not None]
    holds = await hold_reading.open_holds(session, rows)
    rewards = await _rewards(session, [row.id for row in rows], holds)
    candidates = await log_views.touches_by_referral(session, bound) if bound else {}
    return [
        ReferralView(
            referral_id=row.id,
            stage=row.stage,
            until=row.until,
            campaign=row.campaign_slug,
            variant=row.variant,
            accepted_terms=row.accepted_terms or {},
            code=row.code,
            referrer_id=row.referrer_id,
            referee_id=row.referee_id,
            invited_at=row.invited_at,
            attribution=_attribution_view(row, candidates.get(row.id, ())),
            assessment=assessments.get(row.assessment_id),
            holds=holds.get(row.id, ()),
            rewards=tuple(rewards[row.id]),
        )
        for row in rows
    ]


def _attribution_view(
    row: ReferralRow, candidates: tuple[TouchView, ...]
) -> AttributionView | None:
    if row.attribution_method is None or row.attribution_confidence is None:
        return None
    return AttributionView(row.attribution_method, row.attribution_confidence, candidates)


async def _rewards(
    session: ReadSession,
    referral_ids: Sequence[UUID],
    holds: Mapping[UUID, tuple[HoldView, ...]],
) -> dict[UUID, list[RewardView]]:
    rows = await session.scalars(
        select(Reward)
        .where(Reward.referral_id.in_(referral_ids))
        .order_by(Reward.reward_type, Reward.kind.nulls_first())
    )
    found = defaultdict(list)
    for row in rows:
        found[row.referral_id].append(reward_view(row, holds.get(row.referral_id, ())))
    return found


async def _assessments(
    session: ReadSession, ids: Iterable[UUID | None]
) -> dict[UUID | None, AssessmentView]:
    rows = await session.scalars(
        select(AssessmentRow).where(AssessmentRow.id.in_([id_ for id_ in ids if id_]))
    )
    return {row.id: assessment_view(row) for row in rows}
