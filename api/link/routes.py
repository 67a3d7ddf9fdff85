"""The public link that players share: a person gets an invitation, a program only the way on."""

import re
import secrets
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.http.dependencies import Config, Db, Hashes, Now, ReferralTokens
from api.http.openapi import Responses, page_response
from api.http.rate_limits import LinkAdmission, LinkLimits
from api.link.follow import follow, pseudonymised_visit, token_of
from api.link.landing.destinations import TOKEN, TokenFor
from api.link.landing.pages import HtmlOutageRoute, closed_page, too_many_requests_page
from api.link.page_context import Reader, page_context_of
from api.link.responses import bot_response, person_response
from api.link.user_agents import Requester, requester_of, traits_from_headers, user_agent_of
from db.engine import Database
from domain.attribution.policy import Method
from domain.codes import is_code, normalised
from domain.privacy import Hasher
from referrals.attribution.clicks.follow import Invitation, Outcome, outcome_if_closed
from referrals.attribution.clicks.statements import Visit
from referrals.attribution.tokens import Tokens
from referrals.campaigns import offers
from referrals.campaigns.offers import Offer
from runtime.settings import Settings

router = APIRouter(tags=["clicks"], route_class=HtmlOutageRoute)

VISITOR_COOKIE: Final = "visitor"
VISITOR_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{22,64}")
VISITOR_COOKIE_MAX_AGE_S: Final = 365 * 86_400

FOLLOW_RESPONSES: Final[Responses] = {
    200: page_response("A page: the invitation, its ways on and its terms"),
    302: {
        "description": "On to the campaign's destination, or to Google Play; for a person with"
        " `referral_token`",
        "headers": {"Location": {"required": True, "schema": {"type": "string"}}},
    },
    404: page_response("A page: this code is not known"),
    410: page_response("A page: this offer is over, or paused"),
    429: page_response("A page, the same for every code: too many from this address just now"),
    503: page_response("A page: this cannot be told just now"),
}


@router.head("/r/{code}", include_in_schema=False)
@router.head("/r/{code}/", include_in_schema=False)
@router.get("/r/{code}/", include_in_schema=False)
@router.get("/r/{code}", status_code=302, response_class=Response, responses=FOLLOW_RESPONSES)
async def follow_link(  # noqa: PLR0913 - FastAPI passes each by its name
    code: str,
    request: Request,
    *,
    reader: Annotated[Reader, Depends(page_context_of)],
    passing: LinkLimits,
    database: Db,
    settings: Config,
    hasher: Hashes,
    tokens: ReferralTokens,
    now: Now,
) -> Response:
    """302 to the campaign's destination, or on Android to Google Play; never anywhere else.

    On an iPhone with an app to get, or where the campaign wants it, a person gets a page instead;
    so does a link preview. 404, 410 or 429 is a page, too. A code that is followed more often than
    its limit still leads people on, without an invitation.
    """
    if passing.retry_after_s is not None:
        return too_many_requests_page(reader.language, retry_after_s=passing.retry_after_s)
    requester = requester_of(request) if passing.invites else Requester.NOBODY
    if requester is not Requester.PERSON:
        offer = await _find_open_offer(code, database, now)
        return await _limit_misses(
            passing, reader, bot_response(settings, offer, reader, requester)
        )
    visitor_id = _visitor_id(request)
    visit = _visit_from_request(request, reader, hasher, code=code, visitor_id=visitor_id, at=now)
    invitation = await follow(database, visit)
    if invitation.offer is None or invitation.referral_id is None:
        closed = _closed(invitation, reader)
        return await _limit_misses(passing, reader, closed)
    token_for = _tokens(tokens, invitation, reader)
    answer = person_response(settings, invitation.offer, reader, token_for)
    _set_cookie(answer, settings, VISITOR_COOKIE, visitor_id, age_s=VISITOR_COOKIE_MAX_AGE_S)
    token = token_for(Method.REFERRAL_TOKEN)
    _set_cookie(answer, settings, TOKEN, token, age_s=_token_max_age_s(invitation, now))
    return answer


def _closed(invitation: Invitation, reader: Reader) -> Response:
    destination = invitation.offer.destination if invitation.offer else None
    return closed_page(invitation.outcome, reader.language, destination=destination)


async def _limit_misses(passing: LinkAdmission, reader: Reader, answer: Response) -> Response:
    """The answer, unless this address has asked for too many codes that nobody has."""
    if answer.status_code != HTTPStatus.NOT_FOUND:
        return answer
    wait_s = await passing.missed()
    return (
        answer if wait_s is None else too_many_requests_page(reader.language, retry_after_s=wait_s)
    )


def _visit_from_request(
    request: Request,
    reader: Reader,
    hasher: Hasher,
    *,
    code: str,
    visitor_id: str,
    at: datetime,
) -> Visit:
    return pseudonymised_visit(
        hasher,
        code=code,
        visitor_id=visitor_id,
        platform=reader.platform,
        at=at,
        method=reader.followed_via,
        ip=request.client and request.client.host,
        user_agent=request.headers.get("user-agent"),
        signals=traits_from_headers(
            agent=user_agent_of(request), accept_language=request.headers.get("accept-language")
        ),
    )


async def _find_open_offer(code: str, database: Database, now: datetime) -> Offer | Outcome:
    """The offer behind a code that takes invitations now, or why there is none."""
    wanted = normalised(code)
    async with database.reading() as session:
        offer = await offers.find(session, wanted) if is_code(wanted) else None
    if offer is None:
        return Outcome.UNKNOWN_CODE
    return outcome_if_closed(offer.schedule, now) or offer


def _tokens(tokens: Tokens, invitation: Invitation, reader: Reader) -> TokenFor:
    """Tokens by how they are carried on; the link's own tells a scanned QR code from a tap."""

    def token_for(method: Method) -> str:
        carried = reader.followed_via if method is Method.REFERRAL_TOKEN else method
        return token_of(tokens, invitation, method=carried)

    return token_for


def _set_cookie(answer: Response, settings: Settings, name: str, value: str, *, age_s: int) -> None:
    secure = settings.public_url.startswith("https:")
    answer.set_cookie(name, value, max_age=age_s, httponly=True, samesite="lax", secure=secure)


def _token_max_age_s(invitation: Invitation, now: datetime) -> int:
    if invitation.expires_at is None:
        raise ValueError("this click led to no invitation")
    return max(0, int((invitation.expires_at - now).total_seconds()))


def _visitor_id(request: Request) -> str:
    known = request.cookies.get(VISITOR_COOKIE, "")
    return known if VISITOR_ID_PATTERN.fullmatch(known) else secrets.token_urlsafe(24)
