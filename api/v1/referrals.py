"""Referrals, listed or one with its timeline, and the facts behind each."""

from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.http.authorisation import requires
from api.http.dependencies import Db
from api.http.errors import Problem
from api.http.openapi import problem_responses
from api.http.paging import (
    Cursor,
    Limit,
    PageOut,
    PageQuery,
    decode_time_and_key,
    encode_cursor,
    invalid_cursor,
    page_out,
)
from api.v1.schemas.evidence import FactOut, ListedAssessmentOut, ListedAssessmentsOut
from api.v1.schemas.fields import Id, Slug
from api.v1.schemas.referrals import ReferralOut, ReferralSummary
from domain.intake.facts import FactKind
from domain.lifecycle.referral import Stage
from referrals.fraud import assessment_views
from referrals.reporting import fact_views, referral_views
from referrals.reporting.fact_views import FactPosition
from referrals.reporting.referral_views import ReferralFilter

MAX_ASSESSMENTS: Final = 200
"""Assessments shown of one referral: far more than one ever has."""

router = APIRouter(
    prefix="/v1/referrals",
    tags=["referrals"],
    dependencies=[Depends(requires("referrals:read"))],
)


class Role(StrEnum):
    """The player's side of a referral."""

    REFERRER = "referrer"
    REFEREE = "referee"


@router.get("")
async def list_referrals(  # noqa: PLR0917 - FastAPI passes each by its name
    part: PageQuery,
    database: Db,
    player_id: Annotated[Id | None, Query()] = None,
    role: Role | None = None,
    stage: Stage | None = None,
    campaign: Annotated[Slug | None, Query()] = None,
) -> PageOut[ReferralSummary]:
    """List referrals, newest invitation first. Without `role`, the player may be on either side."""
    filters = ReferralFilter(
        referrer_id=player_id if role is Role.REFERRER else None,
        referee_id=player_id if role is Role.REFEREE else None,
        either_side=player_id if role is None else None,
        stage=stage,
        campaign=campaign,
    )
    async with database.reading() as session:
        page = await referral_views.list_referrals(session, filters, part)
    return page_out(ReferralSummary, page)


@router.get("/{referral_id}/facts", responses=problem_responses("unknown_referral"))
async def list_facts(
    referral_id: UUID, database: Db, limit: Limit = 50, cursor: Cursor = None
) -> PageOut[FactOut]:
    """List what was reported of a referral's pair, oldest first, and what each fact does for it.

    All facts of the referee, and the referrer's changes of status; personal fields are left out.
    404 `unknown_referral`.
    """
    after = _decode_fact_position(cursor)
    async with database.snapshot() as session:
        page = await fact_views.find_facts(session, referral_id, after=after, limit=limit)
    if page is None:
        raise Problem("unknown_referral")
    items = [FactOut.model_validate(view) for view in page.items]
    return PageOut(items=items, next_cursor=_encode_fact_position(page.next_position))


@router.get("/{referral_id}/assessments", responses=problem_responses("unknown_referral"))
async def list_assessments(referral_id: UUID, database: Db) -> ListedAssessmentsOut:
    """List the fraud assessments of a referral with their evidence, oldest first.

    The first is of the signup, a moment after it was bound; the others are of what qualified. 404
    `unknown_referral`.
    """
    async with database.snapshot() as session:
        found = await assessment_views.list_assessments(session, referral_id, limit=MAX_ASSESSMENTS)
    if found is None:
        raise Problem("unknown_referral")
    items = [ListedAssessmentOut.model_validate(view) for view in found]
    return ListedAssessmentsOut(items=items)


@router.get("/{referral_id}", responses=problem_responses("unknown_referral"))
async def show_referral(referral_id: UUID, database: Db) -> ReferralOut:
    """Return a referral: attribution, assessment, holds, rewards (in minor units) and timeline.

    404 `unknown_referral`.
    """
    async with database.reading() as session:
        view = await referral_views.find_referral(session, referral_id)
    if view is None:
        raise Problem("unknown_referral")
    return ReferralOut.model_validate(view)


def _encode_fact_position(position: FactPosition | None) -> str | None:
    if position is None:
        return None
    return encode_cursor(f"{position.at.isoformat()}|{position.kind}|{position.event_id}")


def _decode_fact_position(cursor: str | None) -> FactPosition | None:
    if cursor is None:
        return None
    at, key = decode_time_and_key(cursor)
    kind, _, event_id = key.partition("|")
    try:
        return FactPosition(at, FactKind(kind), event_id)
    except ValueError as fault:
        raise invalid_cursor() from fault
