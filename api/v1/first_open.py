"""An app's first open: who brought its person, and what that person says about it."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Request

from api.http.dependencies import Config, Db, Hashes, Now, ReferralTokens, requires
from api.http.errors import Problem, invalid_field
from api.http.observability import Metrics
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.rate_limits import Limits
from api.http.strict_json import StrictRoute
from api.v1.schemas.attributions import ConfirmIn, ConfirmOut, ResolveIn, ResolveOut
from api.v1.schemas.first_open import first_open, told
from db.engine import Database
from domain.attribution.policy import Method
from referrals.attribution.first_open.confirm import (
    ConfirmOutcome,
    bind_presenters,
    find_invitation_code,
    record_answer,
)
from referrals.attribution.first_open.resolve import FirstOpenResult, resolve_first_open
from referrals.attribution.tokens import TokenOutcome

NOT_OURS: Final = "This token was not issued here"
GUARANTEED: Final = "guaranteed"
DECLINED: Final = "declined"

router = APIRouter(
    prefix="/v1/attributions",
    tags=["attributions"],
    route_class=StrictRoute,
    dependencies=[Depends(requires("codes:write"))],
)


async def metrics_of(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


Counts = Annotated[Metrics, Depends(metrics_of)]


@router.post("/resolve", responses=problem_responses("too_many_requests", *BODY_PROBLEMS))
async def resolve(  # noqa: PLR0917 - FastAPI passes each by its name
    body: ResolveIn,
    database: Db,
    settings: Config,
    hasher: Hashes,
    tokens: ReferralTokens,
    now: Now,
    metrics: Counts,
    limits: Limits,
) -> ResolveOut:
    """Who brought the person that opens an app for the first time.

    Looked at in this order: the link that opened the app, Play's install referrer, the clipboard,
    the cookie. The first that holds is answered, `guaranteed`. Without any, a click behind the
    same network within the campaign's `match_window` is answered with an `ask` when the device
    fits, too, and no second code was followed there: it counts once POST `confirm` says so. Nulls
    mean that nothing was found, whatever the reason. The same request again is answered alike.
    """
    await limits.check("resolve", device=body.device_id, address=body.ip)
    async with database.transaction() as session:
        opened = first_open(body, hasher, public_url=settings.public_url, now=now)
        answer = await resolve_first_open(session, opened, tokens=tokens)
    _count(metrics, answer)
    return told(answer.resolved, tokens, locale=body.locale)


@router.post("/confirm", responses=problem_responses("already_answered", *BODY_PROBLEMS))
async def confirm(body: ConfirmIn, database: Db, tokens: ReferralTokens, now: Now) -> ConfirmOut:
    """What the person answered; only a yes lets a match count, also for a signup heard before.

    The same answer again is 200, the opposite one 409 `already_answered`. A token that is no match
    needs no answer: 200 with the outcome `guaranteed`. 422 names a token that is not ours or old.
    """
    reading = tokens.read(body.referral_token, at=now)
    if reading.outcome is TokenOutcome.EXPIRED:
        raise invalid_field("referral_token", "This token has ended")
    if reading.subject is None:
        raise invalid_field("referral_token", NOT_OURS)
    if reading.method is not Method.PROBABILISTIC:
        return await _confirm_guaranteed(database, reading.subject, body)
    code = await _heard(database, reading.subject, body, now)
    outcome = DECLINED
    if body.confirmed:
        async with database.transaction() as session:
            outcome = await bind_presenters(session, reading.subject, tokens=tokens, now=now)
    return ConfirmOut(code=code, confirmed=body.confirmed, outcome=outcome)


async def _heard(database: Database, match_id: UUID, body: ConfirmIn, now: datetime) -> str:
    """The code that was asked about."""
    async with database.transaction() as session:
        result = await record_answer(session, match_id, is_confirmed=body.confirmed, now=now)
    if result.outcome is ConfirmOutcome.ANSWERED_OTHERWISE:
        raise Problem("already_answered")
    if result.code is None:
        raise invalid_field("referral_token", NOT_OURS)
    return result.code


async def _confirm_guaranteed(database: Database, referral_id: UUID, body: ConfirmIn) -> ConfirmOut:
    async with database.reading() as session:
        code = await find_invitation_code(session, referral_id)
    if code is None:
        raise invalid_field("referral_token", NOT_OURS)
    return ConfirmOut(code=code, confirmed=body.confirmed, outcome=GUARANTEED)


def _count(metrics: Metrics, answer: FirstOpenResult) -> None:
    """In the metrics and the request's log line; neither names a person, a code or a device."""
    attribution_method = answer.resolved.method if answer.resolved else None
    for method, refusal in answer.refused:
        metrics.count_refused_method(method=method, reason=refusal)
    metrics.count_resolved_first_open(attribution_method)
    refused = [f"{method}: {refusal}" for method, refusal in answer.refused]
    structlog.contextvars.bind_contextvars(attribution_method=attribution_method, refused=refused)
