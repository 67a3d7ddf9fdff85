"""Rebinds: support moves a player to another code; one person proposes, another decides."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.http.authorisation import Caller, requires
from api.http.dependencies import Config, Db, Now, ReferralTokens
from api.http.errors import Problem
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.paging import PageOut, PageQuery, page_out
from api.http.strict_json import StrictRoute
from api.v1.attributions import refusal_problem
from api.v1.schemas.attributions import RebindDecisionIn, RebindIn, RebindOut
from api.v1.schemas.fields import Id
from domain.codes import parse_code
from domain.intake.facts import Choice
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
    RebindOutcome.SAME_PERSON: "second_person_required",
    RebindOutcome.OWN_REFERRAL: "own_referral",
    RebindOutcome.ALREADY_DECIDED: "already_decided",
}
RULE_PROBLEMS: Final = (
    "self_referral", "already_earned", "campaign_not_begun", "campaign_ended", "campaign_paused",
)  # fmt: skip


@router.post(
    "",
    status_code=201,
    responses=problem_responses("unknown_code", "unknown_player", "own_referral", *BODY_PROBLEMS),
)
async def propose_rebind(
    body: RebindIn, database: Db, supporter: Supporter, settings: Config
) -> RebindOut:
    """Propose to bind a player to another code. Nothing changes until a second person approves.

    Not idempotent: each call is a proposal. 404 `unknown_code`, or `unknown_player` when no signup
    of the player was reported; 403 `own_referral` for the player or the code's owner.
    """
    actor = supporter.actor(body.reason)
    code = parse_code(body.code, public_url=settings.public_url)
    if code is None:
        raise Problem("unknown_code")
    async with database.transaction() as session:
        proposed = await rebinds.propose(session, player_id=body.player_id, code=code, actor=actor)
        if proposed.rebind is None:
            raise Problem(REFUSALS[proposed.outcome])
        return RebindOut.model_validate(proposed.rebind)


@router.get("")
async def list_rebinds(
    part: PageQuery,
    database: Db,
    _: Supporter,
    player_id: Annotated[Id | None, Query()] = None,
    status: Status | None = None,
) -> PageOut[RebindOut]:
    """List rebinds, newest first. Status `refused`: approved, but the rules did not allow it."""
    async with database.reading() as session:
        page = await rebinds.list_rebinds(session, part, player_id=player_id, status=status)
    return page_out(RebindOut, page)


@router.post(
    "/{rebind_id}/decision",
    responses=problem_responses(
        "unknown_rebind",
        "second_person_required",
        "own_referral",
        "already_decided",
        *RULE_PROBLEMS,
        *BODY_PROBLEMS,
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
    """Approve or reject a proposed rebind; the decision is final.

    An approval binds the player to the code at once; deposits since the signup count for it, and an
    earlier referral becomes LOST. The same person's same decision again returns the same answer.
    404 `unknown_rebind`; 403 `second_person_required` for the person who proposed it, or
    `own_referral` for the player or the code's owner; 409 `already_decided` for any other decision.
    An approval that the rules refuse is recorded as `refused` and answered with 409
    `already_earned` or `self_referral`, 410 `campaign_ended` or `campaign_paused`.
    """
    actor = supporter.actor(body.reason)
    async with database.transaction() as session:
        decided = await rebinds.decide(
            session, rebind_id, body.decision, actor, tokens=tokens, now=now
        )
    if decided.rebind is None or decided.outcome in REFUSALS:
        raise Problem(REFUSALS[decided.outcome])
    rebind = decided.rebind
    if body.decision is Choice.APPROVE and rebind.status is Status.REFUSED:
        raise refusal_problem(rebind.outcome or "")
    return RebindOut.model_validate(rebind)
