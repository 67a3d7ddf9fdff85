"""An app's first open: who invited its person, and the person's answer when that is uncertain."""

from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid4

import structlog
from fastapi import APIRouter, Depends

from api.http.authorisation import requires
from api.http.dependencies import Config, Db, Hashes, MetricsDep, Now, ReferralTokens
from api.http.errors import Problem, invalid_field
from api.http.limits.admission import Limits
from api.http.observability import Metrics
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.strict_json import StrictRoute
from api.link.languages import negotiate_language
from api.v1.schemas.first_open import ConfirmIn, ConfirmOut, ResolveIn, ResolveOut
from db.engine import Database
from domain.attribution.first_open import collect_hints
from domain.attribution.policy import Method
from domain.privacy import Hasher
from referrals.attribution.first_open.confirm import (
    ConfirmOutcome,
    bind_presenters,
    find_invitation_code,
    record_answer,
)
from referrals.attribution.first_open.hints import FirstOpen, ResolvedInvitation
from referrals.attribution.first_open.resolve import FirstOpenResult, resolve_first_open
from referrals.attribution.tokens import TokenOutcome, Tokens
from referrals.intake.normalising import matching_text
from referrals.intake.normalising.addresses import with_subscriber

FOREIGN_TOKEN_MESSAGE: Final = "This token was not issued here"
GUARANTEED: Final = "guaranteed"
DECLINED: Final = "declined"

router = APIRouter(
    prefix="/v1/attributions",
    tags=["attributions"],
    route_class=StrictRoute,
    dependencies=[Depends(requires("codes:write"))],
)


@router.post("/resolve", responses=problem_responses("too_many_requests", *BODY_PROBLEMS))
async def resolve(  # noqa: PLR0917 - FastAPI passes each by its name
    body: ResolveIn,
    database: Db,
    settings: Config,
    hasher: Hashes,
    tokens: ReferralTokens,
    now: Now,
    metrics: MetricsDep,
    limits: Limits,
) -> ResolveOut:
    """Return who invited the person that opens an app for the first time.

    Checked in this order: the link that opened the app, Play's install referrer, the clipboard,
    the cookie. The first valid one is returned as `guaranteed`. Without any, a click from the same
    network within the campaign's `match_window` is matched by device traits, unless clicks of
    several codes came from there; it is returned with an `ask` and counts once `confirm` says yes.
    All fields are null when nothing was found or nothing was valid; the reason is in the
    attribution log. Repeating the request returns the same answer. With `consent` false nothing of
    the device and its network is kept, and no click is matched. 429 `too_many_requests` per
    device and per network.
    """
    address = body.ip and matching_text("ip", body.ip)
    await limits.check("resolve", device=body.device_id, address=address)
    async with database.transaction() as session:
        opening = _to_first_open(body, hasher, public_url=settings.public_url, now=now)
        answer = await resolve_first_open(session, opening, tokens=tokens)
    _record_metrics(metrics, answer)
    return _to_resolve_out(answer.resolved, tokens, locale=body.locale)


@router.post("/confirm", responses=problem_responses("already_answered", *BODY_PROBLEMS))
async def confirm(body: ConfirmIn, database: Db, tokens: ReferralTokens, now: Now) -> ConfirmOut:
    """Record the person's answer to the `ask` of `resolve`; a match counts only after a yes.

    A yes also binds a signup that was reported before, within the campaign's `claim_grace`. The
    same answer again is 200, the opposite one 409 `already_answered`. A token that needs no answer
    is 200 with the outcome `guaranteed`; a foreign or expired token is 422.
    """
    reading = tokens.read(body.referral_token, at=now)
    if reading.outcome is TokenOutcome.EXPIRED:
        raise invalid_field("referral_token", "This token has expired")
    if reading.subject is None:
        raise invalid_field("referral_token", FOREIGN_TOKEN_MESSAGE)
    if reading.method is not Method.PROBABILISTIC:
        return await _confirm_guaranteed(database, reading.subject, body)
    code = await _record_answer(database, reading.subject, body, now)
    outcome = DECLINED
    if body.confirmed:
        # A second transaction: binding locks players first, and the answer's lock would deadlock.
        async with database.transaction() as session:
            outcome = await bind_presenters(session, reading.subject, tokens=tokens, now=now)
    return ConfirmOut(code=code, confirmed=body.confirmed, outcome=outcome)


def _to_first_open(body: ResolveIn, hasher: Hasher, *, public_url: str, now: datetime) -> FirstOpen:
    """Return the first open with everything about person, device and network hashed."""
    personal = body.personal()
    device_id = personal.get("device_id")
    return FirstOpen(
        at=now,
        platform=body.effective_platform,
        visitor=hasher.hash("visitor", device_id or _digest_of(body)),
        hints=collect_hints(
            public_url=public_url,
            universal_link=body.universal_link,
            install=body.to_install(),
            clipboard=body.clipboard_token,
            cookie=body.cookie_token,
        ),
        earlier_device_ids=tuple(
            each.hash("device_id", device_id) for each in hasher.earlier if device_id
        ),
        device_traits=hasher.hash_each(body.device_traits()),
        **hasher.hash_given(with_subscriber(personal)),
    )


def _digest_of(body: ResolveIn) -> str:
    """Return what stands for a device without an id; where it may not be known, nothing does."""
    if body.consent is False:
        return uuid4().hex
    return sha256(body.model_dump_json().encode()).hexdigest()


def _record_metrics(metrics: Metrics, answer: FirstOpenResult) -> None:
    """Count the answer and add it to the request's log line, without ids, codes or devices."""
    attribution_method = answer.resolved.method if answer.resolved else None
    for method, refusal in answer.refused:
        metrics.count_refused_method(method=method, reason=refusal)
    metrics.count_resolved_first_open(attribution_method)
    refused = [f"{method}: {refusal}" for method, refusal in answer.refused]
    structlog.contextvars.bind_contextvars(attribution_method=attribution_method, refused=refused)


def _to_resolve_out(
    resolved: ResolvedInvitation | None, tokens: Tokens, *, locale: str | None
) -> ResolveOut:
    """Return the answer; a match gets a question in the app's language."""
    if resolved is None:
        return ResolveOut()
    language = negotiate_language("", preferred=locale)
    question = language.gettext("Did %(code)s invite you?") % {"code": resolved.code}
    return ResolveOut(
        referral_token=tokens.issue(
            resolved.subject, expires_at=resolved.expires_at, method=resolved.method
        ),
        code=resolved.code,
        method=resolved.method,
        confidence=resolved.confidence,
        guaranteed=resolved.is_guaranteed,
        ask=None if resolved.is_guaranteed else question,
    )


async def _confirm_guaranteed(database: Database, referral_id: UUID, body: ConfirmIn) -> ConfirmOut:
    async with database.reading() as session:
        code = await find_invitation_code(session, referral_id)
    if code is None:
        raise invalid_field("referral_token", FOREIGN_TOKEN_MESSAGE)
    return ConfirmOut(code=code, confirmed=body.confirmed, outcome=GUARANTEED)


async def _record_answer(database: Database, match_id: UUID, body: ConfirmIn, now: datetime) -> str:
    """Record the answer and return the code that was asked about."""
    async with database.transaction() as session:
        result = await record_answer(session, match_id, is_confirmed=body.confirmed, now=now)
    if result.outcome is ConfirmOutcome.ANSWERED_OTHERWISE:
        raise Problem("already_answered")
    if result.code is None:
        raise invalid_field("referral_token", FOREIGN_TOKEN_MESSAGE)
    return result.code
