"""The public link that players share: a person gets an invitation, a bot only the way on."""

import re
import secrets
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawlerdetect import CrawlerDetect  # type: ignore[import-untyped] # it has no types
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.dependencies import Config, Db, Now
from api.documented import Responses, page_response
from api.following import follow, token_of, visit_of
from api.schemas.codes import Platform
from db import offers
from db.clicks import Invitation, Outcome, closed_by
from db.engine import Database
from domain.codes import is_code, normalised
from settings import Settings

router = APIRouter(tags=["clicks"])

TOKEN: Final = "referral_token"
VISITOR: Final = "visitor"
VISITOR_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]{22,64}")
VISITOR_AGE_S: Final = 365 * 86_400
LONGEST_AGENT: Final = 512
HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
# It compiles some thousand patterns, so there is one.
DETECTOR: Final = CrawlerDetect()

PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}}
</style><h1>{title}</h1><p>{text}</p></html>
"""
PAGES: Final = {
    Outcome.UNKNOWN_CODE: (
        404,
        "We do not know this code",
        "Please check the link, or ask your friend to send it again.",
    ),
    Outcome.CAMPAIGN_PAUSED: (
        410,
        "This offer is paused",
        "Your friend's link brings no reward at the moment. Please follow it again later.",
    ),
    Outcome.CAMPAIGN_ENDED: (
        410,
        "This offer is over",
        "Your friend's link no longer brings a reward. You are welcome all the same.",
    ),
}

ANSWERS: Final[Responses] = {
    302: {
        "description": "On to the campaign's destination; for a person with `referral_token`",
        "headers": {"Location": {"required": True, "schema": {"type": "string"}}},
    },
    404: page_response("A page: this code is not known"),
    410: page_response("A page: this offer is over, or paused"),
}


@router.head("/r/{code}", include_in_schema=False)
@router.get("/r/{code}", status_code=302, response_class=Response, responses=ANSWERS)
async def follow_link(
    code: str, request: Request, database: Db, settings: Config, now: Now
) -> Response:
    """302 to the campaign's destination, and nowhere else; 404 or 410 with a page for people."""
    if is_automatic(request):
        return await _for_a_program(database, code, now)
    visitor_id = _visitor(request)
    visit = visit_of(
        settings,
        code=code,
        visitor_id=visitor_id,
        platform=Platform.WEB,
        at=now,
        ip=request.client and request.client.host,
        user_agent=request.headers.get("user-agent"),
    )
    invitation = await follow(database, visit)
    if invitation.offer is None or invitation.referral_id is None:
        return _page(invitation.outcome)
    return _for_a_person(settings, invitation, visitor_id, now)


def is_automatic(request: Request) -> bool:
    """Whether no person looks at the answer: crawlers, link previews, prefetching browsers."""
    agent = request.headers.get("user-agent", "")[:LONGEST_AGENT]
    purposes = request.headers.get("sec-purpose", "") + request.headers.get("purpose", "")
    prefetched = "prefetch" in purposes.lower() or "preview" in purposes.lower()
    asked_only = request.method == "HEAD"
    return asked_only or prefetched or not agent.strip() or bool(DETECTOR.is_crawler(agent))


def with_token(destination: str, token: str) -> str:
    """The destination with the token among the other parameters of its query."""
    parts = urlsplit(destination)
    others = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != TOKEN]
    return urlunsplit(parts._replace(query=urlencode([*others, (TOKEN, token)])))


async def _for_a_program(database: Database, code: str, now: datetime) -> Response:
    wanted = normalised(code)
    async with database.reading() as session:
        offer = await offers.find(session, wanted) if is_code(wanted) else None
    if offer is None:
        return _page(Outcome.UNKNOWN_CODE)
    closed = closed_by(offer.schedule, now)
    if closed is not None:
        return _page(closed)
    return RedirectResponse(offer.destination, 302, HEADERS)


def _for_a_person(
    settings: Settings, invitation: Invitation, visitor_id: str, now: datetime
) -> Response:
    if invitation.offer is None or invitation.expires_at is None:
        raise ValueError("this click led to no invitation")
    token = token_of(settings, invitation)
    redirect = RedirectResponse(with_token(invitation.offer.destination, token), 302, HEADERS)
    lasting_s = max(0, int((invitation.expires_at - now).total_seconds()))
    for name, value, age_s in ((VISITOR, visitor_id, VISITOR_AGE_S), (TOKEN, token, lasting_s)):
        redirect.set_cookie(
            name,
            value,
            max_age=age_s,
            httponly=True,
            samesite="lax",
            secure=settings.public_url.startswith("https:"),
        )
    return redirect


def _visitor(request: Request) -> str:
    known = request.cookies.get(VISITOR, "")
    return known if VISITOR_SHAPE.fullmatch(known) else secrets.token_urlsafe(24)


def _page(outcome: Outcome) -> Response:
    status, title, text = PAGES[outcome]
    return HTMLResponse(PAGE.format(title=title, text=text), status, HEADERS)
