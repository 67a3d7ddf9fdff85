"""Rebinds: support binds a player to another code, with a reason, by two different people."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.http.dependencies import Caller, Db, Now, ReferralTokens, requires
from api.http.errors import Problem
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.paging import PageOut, PageQuery, encode_position
from api.http.strict_json import StrictRoute
from api.v1.attributions import refused
from api.v1.schemas.claims import RebindDecisionIn, RebindIn, RebindOut
from api.v1.schemas.fields import Id
from domain.codes import normalise_code
from domain.intake.facts import Choice
from referrals.access.audit import Actor
from referrals.attribution import rebinds
from referrals.attribution.rebinds import RebindOutcome, Status

router = APIRouter(
    prefix="/v1/attributions/rebinds", tags=["attributions"], route_class=StrictRoute
)
Supporter = Annotated[Caller, Depends(requires("reviews:decide"))]

REFUSALS: Final = {
    RebindOutcome.UNKNOWN: "unknown_rebind",
    RebindOutcome.UNKNOWN_CODE: "unknown_code",
    RebindOutcome.UNKNOWN_PLAYER: "unknown_player",
    RebindOutcome.SAME_PERSON: "second_person_needed",
    RebindOutcome.ALREADY_DECIDED: "already_decided",
}
RULE_PROBLEMS: Final = ("self_referral", "already_earned", "campaign_ended", "campaign_paused")


@router.post(
    "",
    status_code=201,
    responses=problem_responses("unknown_code", "unknown_player", *BODY_PROBLEMS),
)
async def propose_rebind(body: RebindIn, database: Db, supporter: Supporter) -> RebindOut:
    """Write down that a player belongs to another code; nothing changes before it is approved."""
    actor = Actor(name=supporter.owner, request_id=supporter.request_id, reason=body.reason)
    async with database.transaction() as session:
        proposed = await rebinds.propose(
            session, player_id=body.player_id, code=normalise_code(body.code), actor=actor
        )
        if proposed.rebind is None:
            raise Problem(REFUSALS[proposed.outcome])
        return RebindOut.of(proposed.rebind)


@router.get("")
async def list_rebinds(
    part: PageQuery,
    database: Db,
    _: Supporter,
    player_id: Annotated[Id | None, Query()] = None,
    status: Status | None = None,
) -> PageOut[RebindOut]:
    """Newest first. `refused`: approved, and no longer allowed by the rules."""
    async with database.reading() as session:
        page = await rebinds.list_rebinds(session, part, player_id=player_id, status=status)
    items = [RebindOut.of(row) for row in page.items]
    return PageOut(items=items, next_cursor=encode_position(page.next_position))


@router.post(
    "/{rebind_id}/decision",
    responses=problem_responses(
        "unknown_rebind", "second_person_needed", "already_decided", *RULE_PROBLEMS, *BODY_PROBLEMS
    ),
)
async def decide_rebind(  # noqa: PLR0917 - FastAPI passes each by its name
    rebind_id: UUID,
    body: RebindDecisionIn,
    database: Db,
    tokens: ReferralTokens,
    supporter: Supporter,
    now: Now,
) -> RebindOut:
    """Approve or reject, by somebody other than who proposed it; the same word again is the same.

    Approved, the player is bound to the code, and what they did since the signup counts for it.
    Their earlier referral ends LOST, as long as nothing was earned with it (409 `already_earned`).
    """
    actor = Actor(name=supporter.owner, request_id=supporter.request_id, reason=body.reason)
    async with database.transaction() as session:
        decided = await rebinds.decide(
            session, rebind_id, body.decision, actor, tokens=tokens, now=now
        )
    if decided.rebind is None or decided.outcome in REFUSALS:
        raise Problem(REFUSALS[decided.outcome])
    row = decided.rebind
    if body.decision is Choice.APPROVE and row.status == Status.REFUSED:
        raise refused(row.outcome or "")
    return RebindOut.of(row)
