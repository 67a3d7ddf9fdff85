"""Rewards, with what each rests on."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.dependencies import Db, requires
from api.paging import PageOut, Part, cursor_of
from api.schemas.fields import Id
from api.schemas.referrals import RewardOut
from db import reward_views
from db.reward_views import Filter
from domain.reward import RewardStatus

router = APIRouter(
    prefix="/v1/rewards", tags=["rewards"], dependencies=[Depends(requires("rewards:read"))]
)


@router.get("")
async def list_rewards(
    part: Part,
    database: Db,
    referral_id: UUID | None = None,
    player_id: Annotated[Id | None, Query()] = None,
    status: RewardStatus | None = None,
) -> PageOut[RewardOut]:
    """Newest first."""
    wanted = Filter(referral_id=referral_id, player_id=player_id, status=status)
    async with database.reading() as session:
        page = await reward_views.listing(session, wanted, part)
    items = [RewardOut.model_validate(view) for view in page.items]
    return PageOut(items=items, next_cursor=cursor_of(page.next_place))
