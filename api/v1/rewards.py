"""Rewards, each with the facts it rests on."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.http.authorisation import requires
from api.http.dependencies import Db
from api.http.paging import PageOut, PageQuery, page_out
from api.v1.schemas.fields import Id
from api.v1.schemas.referrals import RewardOut
from domain.rewards.reward import RewardStatus
from referrals.rewards import views as reward_views
from referrals.rewards.views import RewardFilter

router = APIRouter(
    prefix="/v1/rewards", tags=["rewards"], dependencies=[Depends(requires("rewards:read"))]
)


@router.get("")
async def list_rewards(
    part: PageQuery,
    database: Db,
    referral_id: UUID | None = None,
    player_id: Annotated[Id | None, Query()] = None,
    status: RewardStatus | None = None,
) -> PageOut[RewardOut]:
    """List rewards, newest first; amounts in minor units."""
    filters = RewardFilter(referral_id=referral_id, player_id=player_id, status=status)
    async with database.reading() as session:
        page = await reward_views.list_rewards(session, filters, part)
    return page_out(RewardOut, page)
