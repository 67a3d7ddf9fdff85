"""Referrals, listed or one with its timeline."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.http.authorisation import requires
from api.http.dependencies import Db
from api.http.errors import Problem
from api.http.openapi import problem_responses
from api.http.paging import PageOut, PageQuery, page_out
from api.v1.schemas.fields import Id, Slug
from api.v1.schemas.referrals import ReferralOut, ReferralSummary
from domain.lifecycle.referral import Stage
from referrals.reporting import referral_views
from referrals.reporting.referral_views import ReferralFilter

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


@router.get("/{referral_id}", responses=problem_responses("unknown_referral"))
async def show_referral(referral_id: UUID, database: Db) -> ReferralOut:
    """Return a referral with attribution, assessment, rewards (in minor units) and timeline.

    404 `unknown_referral`.
    """
    async with database.reading() as session:
        view = await referral_views.find_referral(session, referral_id)
    if view is None:
        raise Problem("unknown_referral")
    return ReferralOut.model_validate(view)
