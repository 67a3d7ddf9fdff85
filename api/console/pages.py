"""Pages of the console: templates, headers, and pages in place of problems."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from api.console import static
from api.console.formats import FILTERS
from api.console.navigation import SECTIONS
from api.http.errors import Problem, log_if_transient
from api.http.responders import Responder
from db.faults import DATABASE_FAULTS

TEMPLATES: Final = Environment(
    loader=PackageLoader("api.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters.update(FILTERS)
TEMPLATES.globals.update(asset=static.address, sections=SECTIONS)
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "HX-Request",
}


def render(
    request: Request,
    template: str,
    *,
    title: str,
    status: int = 200,
    **content: object,
) -> HTMLResponse:
    """Render a page around what it shows; a visitor who is signed in has the navigation."""
    visitor = getattr(request.state, "visitor", None)
    text = TEMPLATES.get_template(template).render(
        title=title,
        visitor=visitor,
        path=request.url.path,
        asked=request.query_params.get("q", "") if request.url.path == "/console/search" else "",
        now=datetime.now(UTC),
        notice=NOTICES.get(request.query_params.get("done", "")),
        **content,
    )
    return HTMLResponse(text, status, headers=HEADERS)


NOTICES: Final[Mapping[str, str]] = {
    "claim": "The case is yours for half an hour.",
    "release": "The case is free for others.",
    "note": "Your note is saved.",
    "decision": "Your decision is recorded and audited.",
    "second": "Your decision is recorded. It counts when a second person decides the same.",
    "publish": "The version is live.",
    "withdraw": "The proposal is dropped; the live version stays.",
    "draft": "The draft is written. Another person publishes it.",
    "propose": "The version is written. Another person publishes it.",
    "pause": "The campaign is paused.",
    "resume": "The campaign takes invitations again.",
    "end": "The campaign has ended.",
    "fund": "The budget is topped up.",
    "defund": "The money is taken back out of the budget.",
    "retry": "The delivery is due again.",
    "verify": "The ledger was verified.",
    "switch_off": "The switch is off: nothing is promised or paid in its scope.",
    "switch_on": "The switch is on: what waited for it goes on by itself.",
}
"""Sentences shown once something is done, by the word in the address."""


class PageRoute(APIRoute):
    """Route whose refusals and faults are pages, since people read its answers."""

    def get_route_handler(self) -> Responder:
        answer = super().get_route_handler()

        async def answer_with_page(request: Request) -> Response:
            try:
                return await answer(request)
            except HTTPException as refusal:
                return _refusal_page(request, refusal)
            except RequestValidationError:
                return _refusal_page(request, Problem("validation_failed"))
            except DATABASE_FAULTS as fault:
                log_if_transient(fault)
                return _refusal_page(request, Problem("unavailable"))

        return answer_with_page


def _refusal_page(request: Request, refusal: HTTPException) -> Response:
    """Show a refusal and what to do next; signed out, that is to sign in."""
    code = refusal.code if isinstance(refusal, Problem) else ""
    kind = HTTPStatus(refusal.status_code)
    errors = refusal.errors if isinstance(refusal, Problem) else ()
    page = render(
        request,
        "sign_in.html" if code in SIGN_IN_CODES else "refusal.html",
        title=REFUSAL_TITLES.get(code, kind.phrase),
        status=refusal.status_code,
        detail=refusal.detail,
        code=code,
        errors=errors,
        has_oidc=request.app.state.identity_provider is not None,
        wanted=_wanted(request) if code == "sign_in_required" else "",
    )
    page.headers.update(refusal.headers or {})
    return page


def _wanted(request: Request) -> str:
    """Return the page to lead to after the sign-in: the one that was asked for."""
    is_page = request.method == "GET" and not request.url.path.startswith("/console/sign-in")
    return f"{request.url.path}?{request.url.query}".removesuffix("?") if is_page else ""


SIGN_IN_CODES: Final = frozenset(
    {
        "sign_in_required", "link_used", "sign_in_expired", "sign_in_refused",
        "identity_not_accepted", "not_admitted", "identity_provider_away",
    }
)  # fmt: skip
"""Refusals after which a person signs in, once more or in another way."""
REFUSAL_TITLES: Final[Mapping[str, str]] = {
    "sign_in_required": "Sign in",
    "link_used": "This link is used up",
    "sign_in_expired": "This sign-in is too old",
    "sign_in_refused": "You were not let in",
    "identity_not_accepted": "The identity provider's answer is not valid",
    "not_admitted": "Your account is not admitted",
    "identity_provider_away": "The identity provider does not answer",
    "role_not_allowed": "Not part of your role",
    "forged_form": "This form is not valid any more",
    "claimed": "Somebody else works on this case",
    "already_decided": "This case is decided already",
    "case_closed": "Nothing is left to decide",
    "own_referral": "This is your own referral",
    "unavailable": "The database does not answer",
    "report_too_large": "That is too much for one report",
    "validation_failed": "Something in the form is missing",
    "invalid_transition": "The campaign's status does not allow this",
    "version_changed": "This changed since you read it",
    "insufficient_budget": "Not that much is free",
    "second_person_required": "Another person has to do this",
}
"""Headings of refusals; any other is headed by its status."""
