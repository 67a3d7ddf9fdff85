"""Signing in to the console with the sportsbook's identity provider (OpenID Connect)."""

import hmac
import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Query, Request
from itsdangerous import BadSignature, TimestampSigner
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.console.access import set_session
from api.console.navigation import HOME
from api.console.pages import PageRoute
from api.console.sign_in import see
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem
from referrals.access.console import sessions
from referrals.access.console.identities import (
    ClaimNames,
    IdentityProvider,
    NotAdmittedError,
    NotVouchedError,
    ProviderAwayError,
    SignIn,
    read_identity,
)
from referrals.access.console.people import Person
from referrals.access.people import ensure_person
from runtime.settings import Settings

router = APIRouter(prefix="/console/sign-in", include_in_schema=False, route_class=PageRoute)
log: structlog.stdlib.BoundLogger = structlog.get_logger()
COOKIE: Final = "referrals_console_sign_in"
PATH: Final = "/console/sign-in"
LIFETIME: Final = timedelta(minutes=15)
"""Time in which a sign-in is finished: a password, a second factor, and a coffee between."""
STATE_BYTES: Final = 32
MAX_CODE_CHARS: Final = 4096
_SEPARATOR: Final = "~"
_ERROR_CODE: Final = re.compile(r"[a-z]{1,20}(_[a-z]{1,20}){0,3}", re.ASCII)
"""Shape of the provider's error codes (RFC 6749, section 4.1.2.1)."""
_OWN_PAGE: Final = re.compile(r"/console(?:[/?][\w./?=&%+:-]*)?", re.ASCII)
_SALT: Final = b"console sign-in.v1"


async def provider_of(request: Request) -> IdentityProvider:
    """Return the provider; 404 in a deployment without one."""
    provider: IdentityProvider | None = request.app.state.identity_provider
    if provider is None:
        raise Problem("not_found", "This deployment signs in by links of `referrals console-link`.")
    return provider


Provider = Annotated[IdentityProvider, Depends(provider_of)]
Given = Annotated[str, Field(max_length=MAX_CODE_CHARS)]


class Sent(BaseModel):
    """Parameters that the provider sends by the browser."""

    state: Given = ""
    code: Given = ""
    error: Given = ""
    iss: Given | None = None


@router.get("/oidc")
async def begin_sign_in(config: Config, provider: Provider, to: str = "") -> Response:
    """Send a person to the provider; only this browser can finish what it begins."""
    state = secrets.token_urlsafe(STATE_BYTES)
    try:
        address = await provider.address(_sign_in(state, config))
    except ProviderAwayError as fault:
        raise _away(fault) from fault
    answer = see(address)
    wanted = to if _OWN_PAGE.fullmatch(to) else ""
    answer.set_cookie(
        COOKIE,
        _signer(config).sign(f"{state}{_SEPARATOR}{wanted}").decode(),
        max_age=int(LIFETIME.total_seconds()),
        path=PATH,
        secure=config.public_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/callback")
async def finish_sign_in(  # noqa: PLR0917 - dependencies, by name
    request: Request,
    database: Db,
    config: Config,
    provider: Provider,
    now: Now,
    sent: Annotated[Sent, Query()],
) -> Response:
    """Sign in whom the provider vouches for, and send them on to the page that they wanted."""
    begun, wanted = _read_cookie(request, config, now)
    if not hmac.compare_digest(sent.state.encode(), begun.encode()):
        raise Problem("sign_in_expired")
    if sent.error or not sent.code:
        # Whoever begins a sign-in may send any text back.
        known = sent.error if _ERROR_CODE.fullmatch(sent.error) else "other"
        log.info("console_sign_in_refused", error=known)
        raise Problem("sign_in_refused")
    try:
        claims = await provider.claims(sent.code, _sign_in(begun, config), issuer=sent.iss)
        identity = read_identity(claims, _claim_names(config))
    except ProviderAwayError as fault:
        raise _away(fault) from fault
    except NotVouchedError as fault:
        log.warning("console_identity_not_accepted", reason=str(fault))
        raise Problem("identity_not_accepted") from fault
    except NotAdmittedError as fault:
        log.info("console_sign_in_not_admitted", reason=str(fault))
        raise Problem("not_admitted", str(fault)) from fault
    async with database.transaction() as session:
        person_id = await ensure_person(session, identity.name)
        person = Person(person_id=person_id, name=identity.name, role=identity.role)
        token = await sessions.begin(
            session, person, request_id=request.state.request_id, means="OIDC", now=now
        )
    answer = see(wanted or HOME[person.role])
    answer.delete_cookie(COOKIE, path=PATH)
    set_session(answer, token, config)
    return answer


def _sign_in(state: str, config: Settings) -> SignIn:
    """Return a sign-in, whose secrets are derived from its state: nothing has to be stored."""
    return SignIn(
        state=state,
        nonce=_derive(b"nonce", state, config),
        verifier=_derive(b"verifier", state, config),
        callback=f"{config.public_url}{PATH}/callback",
    )


def _derive(purpose: bytes, state: str, config: Settings) -> str:
    key = config.token_key.get_secret_value().encode()
    return hmac.digest(key, b"\x00".join((_SALT, purpose, state.encode())), "sha256").hex()


def _read_cookie(request: Request, config: Settings, now: datetime) -> tuple[str, str]:
    """Return the state that this browser began with, and the wanted page; 400 without one."""
    try:
        begun, signed_at = _signer(config).unsign(
            request.cookies.get(COOKIE, ""), return_timestamp=True
        )
    except BadSignature as fault:
        raise Problem("sign_in_expired") from fault
    if now - signed_at > LIFETIME:
        raise Problem("sign_in_expired")
    state, _, wanted = begun.decode().partition(_SEPARATOR)
    return state, wanted


def _signer(config: Settings) -> TimestampSigner:
    return TimestampSigner(
        config.token_key.get_secret_value().encode(),
        salt=_SALT,
        digest_method=sha256,
        key_derivation="hmac",
    )


def _claim_names(config: Settings) -> ClaimNames:
    return ClaimNames(
        name=config.oidc_name_claim, role=config.oidc_role_claim, roles=config.oidc_roles
    )


def _away(fault: ProviderAwayError) -> Problem:
    log.warning("identity_provider_away", reason=str(fault))
    return Problem("identity_provider_away", headers={"Retry-After": "5"})
