"""The attribution log with replayed decisions, and codes that players claim after the signup."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Query

from api.http.authorisation import requires
from api.http.dependencies import Config, Db, Now, ReferralTokens
from api.http.errors import Problem, invalid_field
from api.http.limits.admission import Limits
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.paging import (
    Cursor,
    Limit,
    PageOut,
    decode_time_and_key,
    encode_cursor,
    invalid_cursor,
)
from api.http.strict_json import StrictRoute
from api.v1.schemas.attributions import AttemptOut, ClaimIn, ClaimOut, DecidedOut
from api.v1.schemas.fields import Id, NonBlankText, Text32
from domain.attribution.policy import Refusal
from domain.codes import normalise_code, parse_code
from domain.derived_ids import derived_id
from referrals.attribution import log_views
from referrals.attribution.claims import CodeClaim, apply_claim
from referrals.attribution.log import (
    ACCEPTED_OUTCOMES,
    WAITING,
    AttemptKind,
    AttributionAttempt,
    attempt_id_of,
)
from referrals.attribution.log_views import AttemptPosition

router = APIRouter(prefix="/v1/attributions", tags=["attributions"], route_class=StrictRoute)

ANSWERED_OUTCOMES: Final = (*ACCEPTED_OUTCOMES, WAITING)
REFUSALS: Final = {
    Refusal.UNKNOWN_CODE: "unknown_code",
    Refusal.LATE_CODE: "late_code",
    Refusal.SELF: "self_referral",
    Refusal.ALREADY_EARNED: "already_earned",
    Refusal.OUTRANKED: "outranked",
    Refusal.LOWER_PRIORITY: "outranked",
    Refusal.NOT_ACCEPTED: "not_accepted",
    Refusal.OUTSIDE_WINDOW: "late_code",
    Refusal.CAMPAIGN_NOT_BEGUN: "campaign_not_begun",
    Refusal.CAMPAIGN_ENDED: "campaign_ended",
    Refusal.CAMPAIGN_PAUSED: "campaign_paused",
    Refusal.SWITCHED_OFF: "switched_off",
}
_CLAIM_NAMESPACE: Final = UUID("4f3a8f0e-2b4b-5d7e-9c43-5a3b7f7b5b10")
"""Namespace of the ids that are derived from claims; changing it would repeat old claims."""


@router.post(
    "/claim",
    dependencies=[Depends(requires("codes:write"))],
    responses=problem_responses(
        *dict.fromkeys(REFUSALS.values()), "too_many_requests", "too_early", *BODY_PROBLEMS
    ),
)
async def claim_code(  # noqa: PLR0917 - FastAPI passes each by its name
    body: ClaimIn,
    database: Db,
    settings: Config,
    tokens: ReferralTokens,
    limits: Limits,
    now: Now,
) -> ClaimOut:
    """Claim a code for a player who has signed up already, within the campaign's `claim_grace`.

    The code is compared with the player's other touches by the campaign's policy. A player who is
    bound to another code moves only while nothing was earned (409 `already_earned`); deposits since
    the signup count. Before the signup is reported the outcome is `waiting`. 404 `unknown_code`;
    409 `late_code` after `claim_grace` (24 hours by default), `self_referral`, `outranked`,
    `not_accepted`, `campaign_not_begun` or `switched_off`; 410 `campaign_ended` or
    `campaign_paused`; 429 after too many claims of a player. Idempotent by player, code and
    `occurred_at`. Refused claims are logged as well.
    """
    await limits.check("claim", player=body.player_id)
    claim = _claim_of(body, now, public_url=settings.public_url)
    async with database.transaction() as session:
        result = await apply_claim(session, claim, tokens=tokens, now=now)
    if result.outcome == Refusal.UNKNOWN_CODE:
        await limits.count_miss("claim", player=body.player_id)
    if result.outcome not in ANSWERED_OUTCOMES:
        raise refusal_problem(result.outcome)
    return ClaimOut(
        outcome=result.outcome,
        referral_id=result.referral_id,
        code=claim.code or normalise_code(body.code),
    )


@router.get("", dependencies=[Depends(requires("referrals:read"))])
async def list_attempts(  # noqa: PLR0917 - FastAPI passes each by its name
    database: Db,
    player_id: Annotated[Id | None, Query()] = None,
    referral_id: UUID | None = None,
    outcome: Annotated[Text32 | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageOut[AttemptOut]:
    """List the attempts to attribute a player or to bind a referral, newest first.

    `player_id` or `referral_id` is required (422 otherwise). `outcome` is `bound`, `rebound`,
    `self`, `known`, `waiting`, or the reason of a refusal.
    """
    if player_id is None and referral_id is None:
        raise invalid_field("player_id", "player_id or referral_id is required")
    async with database.reading() as session:
        views, position = await log_views.list_attempts(
            session,
            player_id=player_id,
            referral_id=referral_id,
            outcome=outcome,
            limit=limit,
            after=_decode_cursor(cursor),
        )
    items = [AttemptOut.model_validate(view) for view in views]
    return PageOut(items=items, next_cursor=_encode_cursor(position))


@router.get(
    "/{attempt_id}",
    dependencies=[Depends(requires("referrals:read"))],
    responses=problem_responses("unknown_attempt"),
)
async def show_attempt(attempt_id: NonBlankText, database: Db) -> DecidedOut:
    """Return one attempt with its touches, and replay its decision from the stored data.

    The id of a signup's attempt is the signup's `event_id`, with the suffix `#signal` where the
    workflow was signalled directly. 404 `unknown_attempt`.
    """
    async with database.reading() as session:
        view = await log_views.find_attempt(session, attempt_id)
    if view is None:
        raise Problem("unknown_attempt")
    return DecidedOut.model_validate(view)


def refusal_problem(outcome: str) -> Problem:
    """Return the problem for a refused attempt."""
    code = REFUSALS.get(Refusal(outcome)) if outcome in set(Refusal) else None
    return Problem(code or "outranked")


def _claim_of(body: ClaimIn, now: datetime, *, public_url: str) -> CodeClaim:
    code, claimed_at = parse_code(body.code, public_url=public_url), body.occurred_at or now
    claim_id = _claim_id(body.player_id, body.code, claimed_at)
    attempt_id, kind = attempt_id_of(AttemptKind.CLAIM, claim_id), AttemptKind.CLAIM
    attempt = AttributionAttempt(attempt_id=attempt_id, kind=kind, player_id=body.player_id)
    return CodeClaim(attempt=attempt, player_id=body.player_id, code=code, claimed_at=claimed_at)


def _claim_id(player_id: str, code: str, claimed_at: datetime) -> UUID:
    """Return the id of a claim; where names cannot meet, the one that release 0.2 gave it."""
    parts = (player_id, code, claimed_at.isoformat())
    if ":" in player_id:
        return derived_id(_CLAIM_NAMESPACE, *parts)
    return uuid5(_CLAIM_NAMESPACE, ":".join(parts))


def _encode_cursor(position: AttemptPosition | None) -> str | None:
    return encode_cursor(f"{position.at.isoformat()}|{position.attempt_id}") if position else None


def _decode_cursor(cursor: str | None) -> AttemptPosition | None:
    if cursor is None:
        return None
    decided_at, attempt_id = decode_time_and_key(cursor)
    if not attempt_id:
        raise invalid_cursor()
    return AttemptPosition(decided_at, attempt_id)
