"""Signing in by a link that works once, and signing out."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from api.console.access import COOKIE, Form, form_of, set_session
from api.console.navigation import HOME
from api.console.pages import HEADERS, PageRoute
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem
from api.link.user_agents import Requester, requester_of
from referrals.access.console import people, sessions

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)
SEE_OTHER: Final = 303
PREVIEWS: Final = frozenset({Requester.CRAWLER, Requester.SPECULATIVE})


@router.get("/sign-in")
async def sign_in(
    request: Request,
    database: Db,
    config: Config,
    now: Now,
    token: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Sign a person in by a link, once (then 410), and send them on without its token.

    Previews of a chat, and browsers that load ahead, leave the link to its person.
    """
    if not token:
        raise Problem("sign_in_required")
    if requester_of(request) in PREVIEWS:
        raise Problem("sign_in_required", "This link signs its person in, in a browser.")
    async with database.transaction() as session:
        person = await people.use_link(session, token, now=now)
        if person is None:
            raise Problem("link_used")
        session_token = await sessions.begin(
            session, person, request_id=request.state.request_id, means="a link", now=now
        )
    answer = see(HOME[person.role])
    set_session(answer, session_token, config)
    return answer


@router.post("/sign-out")
async def sign_out(
    request: Request, database: Db, now: Now, _: Annotated[Form, Depends(form_of(None))]
) -> Response:
    async with database.transaction() as session:
        await sessions.end(session, request.cookies[COOKIE], now=now)
    answer = see("/console/sign-in")
    answer.delete_cookie(COOKIE, path="/console")
    return answer


def see(address: str) -> RedirectResponse:
    """Send the browser on, so that a reload repeats nothing."""
    return RedirectResponse(address, SEE_OTHER, headers=HEADERS)
