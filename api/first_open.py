"""An app's first open: who brought its person, and what that person says about it."""

from datetime import datetime
from hashlib import sha256
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request

from api.dependencies import Config, Db, Now, requires
from api.documented import OF_BODIES, problem_responses
from api.errors import Problem, invalid
from api.languages import asked_for
from api.observing import Metrics
from api.schemas.attributions import ConfirmIn, ConfirmOut, ResolveIn, ResolveOut
from api.strict import StrictRoute
from db import confirming, resolving
from db.confirming import Said
from db.engine import Database
from db.first_opens import FirstOpen, Resolved
from domain.attribution import Method
from domain.first_open import finds
from domain.matching import hashed, signals_of
from domain.privacy import pseudonymise
from settings import Settings
from tokens import Outcome, TokenReading, issue, read

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


@router.post("/resolve", responses=problem_responses(*OF_BODIES))
async def resolve(
    body: ResolveIn, database: Db, settings: Config, now: Now, metrics: Counts
) -> ResolveOut:
    """Who brought the person that opens an app for the first time.

    Looked at in this order: the link that opened the app, Play's install referrer, the clipboard,
    the cookie. The first that holds is answered, `guaranteed`. Without any, a click behind the
    same network within the campaign's `match_window` is answered with an `ask` when the device
    fits, too, and no second code was followed there: it counts once POST `confirm` says so. Nulls
    mean that nothing was found, whatever the reason. The same request again is answered alike.
    """
    opened = first_open(body, settings, now)
    key = settings.token_key.get_secret_value().encode()
    async with database.transaction() as session:
        answer = await resolving.resolve(session, opened, token_key=key)
    for method, refusal in answer.refused:
        metrics.refuse_claim(method=method, reason=refusal)
    metrics.resolve(answer.resolved.method if answer.resolved else None)
    if answer.resolved is None:
        return ResolveOut()
    return told(answer.resolved, key, locale=body.locale)


@router.post("/confirm", responses=problem_responses("already_answered", *OF_BODIES))
async def confirm(body: ConfirmIn, database: Db, settings: Config, now: Now) -> ConfirmOut:
    """What the person answered; only a yes lets a match count, also for a signup heard before.

    The same answer again is 200, the opposite one 409 `already_answered`. A token that is no match
    needs no answer: 200 with the outcome `guaranteed`. 422 names a token that is not ours or old.
    """
    key = settings.token_key.get_secret_value().encode()
    reading = read(body.referral_token, key=key, at=now)
    if reading.outcome is not Outcome.VALID or reading.subject is None:
        expired = reading.outcome is Outcome.EXPIRED
        raise invalid("referral_token", "This token has ended" if expired else NOT_OURS)
    if reading.method is not Method.PROBABILISTIC:
        return await _guaranteed(database, reading, body)
    async with database.transaction() as session:
        heard = await confirming.hear(session, reading.subject, confirmed=body.confirmed, now=now)
    if heard.said is Said.OTHERWISE_BEFORE:
        raise Problem("already_answered")
    if heard.code is None:
        raise invalid("referral_token", NOT_OURS)
    outcome = DECLINED
    if body.confirmed:
        async with database.transaction() as session:
            outcome = await confirming.bind_presenters(
                session, reading.subject, token_key=key, now=now
            )
    return ConfirmOut(code=heard.code, confirmed=body.confirmed, outcome=outcome)


NOT_OURS: Final = "This token was not issued here"


def first_open(body: ResolveIn, settings: Settings, now: datetime) -> FirstOpen:
    """What was told, with everything about the person, the device and the network hashed."""
    key = settings.hash_key.get_secret_value().encode()
    whole = sha256(body.model_dump_json().encode()).hexdigest()
    person = {name: getattr(body, name) for name in ("device_id", "ip", "user_agent")}
    signals = signals_of(
        os=body.platform,
        os_version=body.os_version or body.os,
        model=body.device_model,
        locale=body.locale,
        time_zone=body.time_zone,
        screen=body.screen,
    )
    return FirstOpen(
        at=now,
        platform=body.platform,
        visitor=pseudonymise("visitor", body.device_id or whole, key),
        finds=finds(
            public_url=settings.public_url,
            universal_link=body.universal_link,
            install=body.install(),
            clipboard=body.clipboard_token,
            cookie=body.cookie_token,
        ),
        signals=hashed(signals, key),
        **{name: text and pseudonymise(name, text, key) for name, text in person.items()},
    )


def told(resolved: Resolved, key: bytes, *, locale: str | None) -> ResolveOut:
    language = asked_for((locale or "").replace("_", "-"))
    question = language.gettext("Did %(code)s invite you?") % {"code": resolved.code}
    token = issue(resolved.subject, expires_at=resolved.expires_at, key=key, method=resolved.method)
    return ResolveOut(
        referral_token=token,
        code=resolved.code,
        method=resolved.method,
        confidence=resolved.confidence,
        guaranteed=resolved.is_guaranteed,
        ask=None if resolved.is_guaranteed else question,
    )


async def _guaranteed(database: Database, reading: TokenReading, body: ConfirmIn) -> ConfirmOut:
    if reading.subject is None:
        raise invalid("referral_token", NOT_OURS)
    async with database.reading() as session:
        code = await confirming.invited_by(session, reading.subject)
    if code is None:
        raise invalid("referral_token", NOT_OURS)
    return ConfirmOut(code=code, confirmed=body.confirmed, outcome=GUARANTEED)
