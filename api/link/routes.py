"""The public link that players share: a person gets an invitation, a bot only the redirect."""

import re
import secrets
from datetime import datetime
from functools import cache
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from api.http.dependencies import Config, Db, Now
from api.http.limits.admission import LinkAdmission, LinkLimits
from api.http.openapi import Responses, page_response
from api.link.follow import follow, issue_token, pseudonymised_click
from api.link.landing.branding import branding_of
from api.link.landing.destinations import TOKEN_PARAMETER, TokenFor
from api.link.landing.pages import (
    HtmlOutageRoute,
    closed_page,
    too_many_requests_page,
    unavailable_page,
)
from api.link.link_route import LinkRoute
from api.link.page_context import PageContext, page_context_of
from api.link.responses import bot_response, person_response
from api.link.user_agents import Requester, requester_of, traits_from_headers, user_agent_of
from db.engine import Database
from domain.attribution.policy import Method
from domain.codes import code_in_path, is_code
from domain.privacy import Hasher
from referrals.attribution.clicks.batching import ClickBatches
from referrals.attribution.clicks.follow import ClickOutcome, ClickResult, outcome_if_closed
from referrals.attribution.clicks.followed_codes import Click
from referrals.attribution.tokens import Tokens
from referrals.campaigns import offers
from referrals.campaigns.offers import Offer
from runtime.settings import Settings

router = APIRouter(tags=["clicks"], route_class=LinkRoute)
pages = APIRouter(include_in_schema=False, route_class=HtmlOutageRoute)

VISITOR_COOKIE: Final = "visitor"
VISITOR_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{22,64}")
VISITOR_COOKIE_MAX_AGE_S: Final = 365 * 86_400

FOLLOW_RESPONSES: Final[Responses] = {
    200: page_response("The landing page: the offer, its terms and the destinations"),
    302: {
        "description": "Redirect to the campaign's destination or to Google Play; for a person"
        " with `referral_token`",
        "headers": {"Location": {"required": True, "schema": {"type": "string"}}},
    },
    404: page_response("A page: the code is unknown, or when its offer begins"),
    410: page_response("A page: the offer has ended, is paused or switched off"),
    429: page_response("A page, the same for every code: too many requests from this address"),
    503: page_response("A page: the database is unavailable, or the load is speculative"),
}


@pages.get("/r")
@pages.get("/r/")
async def show_link_without_code(
    reader: Annotated[PageContext, Depends(page_context_of)], database: Db, settings: Config
) -> Response:
    """Return the page of an unknown code for a link that has lost its code."""
    destination = settings.site_url or await _default_destination(database)
    return closed_page(ClickOutcome.UNKNOWN_CODE, reader.language, destination=destination)


@router.head("//r/{code:path}", include_in_schema=False)
@router.get("//r/{code:path}", include_in_schema=False)
@router.head("/R/{code:path}", include_in_schema=False)
@router.get("/R/{code:path}", include_in_schema=False)
@router.head("/r/{code:path}", include_in_schema=False)
@router.get("/r/{code:path}", status_code=302, response_class=Response, responses=FOLLOW_RESPONSES)
async def follow_link(
    code: str,
    request: Request,
    *,
    reader: Annotated[PageContext, Depends(page_context_of)],
    passing: LinkLimits,
    now: Now,
) -> Response:
    """Redirect to the campaign's destination, or on Android to Google Play; never elsewhere.

    A person gets a landing page instead if the campaign asks for it, or on iOS if there is an app;
    a link preview always gets it. Errors are pages, too. Following the same code again returns the
    visitor's open invitation. Above the limit of a code, the redirect makes no invitation. A
    browser that loads the link ahead of its person gets 503, and asks again.
    """
    # Looked up here: LinkRoute passes what the document of the API needs.
    database: Database = request.app.state.database
    settings: Settings = request.app.state.settings
    if passing.retry_after_s is not None:
        return too_many_requests_page(reader.language, retry_after_s=passing.retry_after_s)
    requester = requester_of(request)
    if requester is Requester.SPECULATIVE:
        # A browser would show its person this answer later, without asking again.
        return unavailable_page(reader.language, retry_after_s=0)
    if not passing.may_invite:
        requester = Requester.REDIRECT_ONLY
    if requester is not Requester.PERSON:
        offer = await _find_open_offer(code, database, now)
        if isinstance(offer, ClickResult):
            return await _closed_answer(offer, reader, passing, database, settings.site_url)
        return _unless_busy(bot_response(settings, offer, reader, requester), reader, passing)
    return await _invite(request, reader, passing, code=code_in_path(code), now=now)


async def _invite(
    request: Request, reader: PageContext, passing: LinkAdmission, *, code: str, now: datetime
) -> Response:
    """Open a person's invitation, or continue it, and lead the person on with its token."""
    parts = request.app.state
    database: Database = parts.database
    clicks: ClickBatches = parts.clicks
    settings: Settings = parts.settings
    hasher: Hasher = parts.hasher
    tokens: Tokens = parts.tokens
    visitor_id = _visitor_id(request)
    click = _click_from_request(request, reader, hasher, code=code, visitor_id=visitor_id, at=now)
    invitation = await follow(clicks, click)
    if invitation.offer is None or invitation.referral_id is None:
        return await _closed_answer(invitation, reader, passing, database, settings.site_url)
    token_for = _token_issuer(tokens, invitation, reader)
    answer = person_response(settings, invitation.offer, reader, token_for)
    _set_cookie(answer, settings, VISITOR_COOKIE, visitor_id, age_s=VISITOR_COOKIE_MAX_AGE_S)
    token = token_for(Method.REFERRAL_TOKEN)
    _set_cookie(answer, settings, TOKEN_PARAMETER, token, age_s=_token_max_age_s(invitation, now))
    answer = _unless_busy(answer, reader, passing)
    if invitation.outcome is ClickOutcome.NEW:
        # The visitor's browser need not wait for it.
        answer.background = BackgroundTask(passing.count_invitation)
    return answer


async def _closed_answer(
    closed: ClickResult,
    context: PageContext,
    admission: LinkAdmission,
    database: Database,
    site_url: str | None,
) -> Response:
    """Return the page of a closed code, or 429 if this address has sent too many unknown ones.

    It leads to the offer's site, or for an unknown code to the sportsbook's.
    """
    if closed.offer is None:
        wait_s = await admission.count_miss()
        if wait_s is not None:
            return too_many_requests_page(context.language, retry_after_s=wait_s)
        site_url = site_url or await _default_destination(database)
        return closed_page(closed.outcome, context.language, destination=site_url)
    page = closed_page(
        closed.outcome,
        context.language,
        destination=closed.offer.destination,
        branding=branding_of(closed.offer, context),
        begins_at=closed.offer.schedule.starts_at,
    )
    return _unless_busy(page, context, admission)


def _unless_busy(answer: Response, context: PageContext, admission: LinkAdmission) -> Response:
    """Return 429 in place of an answer that tells that a code exists, once the limit is reached."""
    wait_s = admission.recheck()
    return (
        answer if wait_s is None else too_many_requests_page(context.language, retry_after_s=wait_s)
    )


async def _default_destination(database: Database) -> str | None:
    async with database.reading() as session:
        return await offers.default_destination(session)


def _click_from_request(
    request: Request,
    context: PageContext,
    hasher: Hasher,
    *,
    code: str,
    visitor_id: str,
    at: datetime,
) -> Click:
    return pseudonymised_click(
        hasher,
        code=code,
        visitor_id=visitor_id,
        platform=context.platform,
        at=at,
        method=context.followed_via,
        ip=request.client and request.client.host,
        user_agent=request.headers.get("user-agent"),
        device_traits=traits_from_headers(
            agent=user_agent_of(request), accept_language=request.headers.get("accept-language")
        ),
    )


async def _find_open_offer(code: str, database: Database, now: datetime) -> Offer | ClickResult:
    """Return the offer of a code that takes invitations now, or the reason why there is none."""
    normalised_code = code_in_path(code)
    async with database.reading() as session:
        offer = await offers.find(session, normalised_code) if is_code(normalised_code) else None
    if offer is None:
        return ClickResult(ClickOutcome.UNKNOWN_CODE)
    closed = outcome_if_closed(offer, at=now)
    return ClickResult(closed, offer) if closed else offer


def _token_issuer(tokens: Tokens, invitation: ClickResult, context: PageContext) -> TokenFor:
    """Return an issuer of tokens by method, in which a scanned QR code has a method of its own."""

    @cache  # A redirect and its cookie carry the same token.
    def token_for(method: Method) -> str:
        carried_by = context.followed_via if method is Method.REFERRAL_TOKEN else method
        return issue_token(tokens, invitation, method=carried_by)

    return token_for


def _set_cookie(answer: Response, settings: Settings, name: str, value: str, *, age_s: int) -> None:
    secure = settings.public_url.startswith("https:")
    answer.set_cookie(name, value, max_age=age_s, httponly=True, samesite="lax", secure=secure)


def _token_max_age_s(invitation: ClickResult, now: datetime) -> int:
    if invitation.expires_at is None:
        raise ValueError("this click has no invitation")
    return max(0, int((invitation.expires_at - now).total_seconds()))


def _visitor_id(request: Request) -> str:
    known = request.cookies.get(VISITOR_COOKIE, "")
    return known if VISITOR_ID_PATTERN.fullmatch(known) else secrets.token_urlsafe(24)
