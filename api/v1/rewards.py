"""Rewards, each with the evidence behind it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.http.authorisation import requires
from api.http.dependencies import Db
from api.http.errors import Problem
from api.http.openapi import problem_responses
from api.http.paging import PageOut, PageQuery, page_out
from api.v1.schemas.evidence import EvidenceOut
from api.v1.schemas.fields import Id
from api.v1.schemas.referrals import RewardOut
from domain.rewards.reward import RewardStatus
from referrals.reporting import reward_evidence
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


@router.get("/{reward_id}/evidence", responses=problem_responses("unknown_reward"))
async def show_evidence(reward_id: UUID, database: Db) -> EvidenceOut:
    """Return everything behind a reward, from the events to the ledger's entries.

    Needs the scope `rewards:read` alone, though it shows the referral, its reviews and what people
    did. 404 `unknown_reward`.
    """
    async with database.snapshot() as session:
        evidence = await reward_evidence.find_evidence(session, reward_id)
    if evidence is None:
        raise Problem("unknown_reward")
    return EvidenceOut.model_validate(evidence)
