"""Pages of the link, rendered in one language; nothing is loaded beside them but a logo."""

import base64
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from api.http.errors import RETRY_AFTER_S, log_if_transient
from api.http.responders import Responder
from api.link.landing.branding import Branding, tel_url
from api.link.landing.destinations import Destinations
from api.link.languages import LANGUAGES, negotiate_language
from api.link.user_agents import Platform
from db.faults import DATABASE_FAULTS
from domain.campaigns.helplines import ELSEWHERE
from referrals.attribution.clicks.follow import ClickOutcome
from referrals.localisation.formats import format_moment
from referrals.localisation.languages import Language

UTC_ZONE: Final = ZoneInfo("UTC")
_TEXTS_OF: Final = {ClickOutcome.SWITCHED_OFF: ClickOutcome.CAMPAIGN_PAUSED}
"""Outcomes that a visitor reads the text of another one for."""
NOT_FOUND_OUTCOMES: Final = (ClickOutcome.UNKNOWN_CODE, ClickOutcome.CAMPAIGN_NOT_BEGUN)


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingContent:
    """Content of the landing page."""

    link: str
    preview_image_url: str
    """For link previews; the page itself does not load it."""
    code: str
    branding: Branding
    platform: Platform
    destinations: Destinations
    headline: str | None
    """Promise of the offer; where no inducement may be shown it is None, and `terms` empty."""
    terms: tuple[str, ...]
    qr_code: Markup | None
    language_links: tuple[tuple[Language, str], ...]
    """The same page in each language, as a relative URL."""


def landing_page(content: LandingContent, language: Language) -> HTMLResponse:
    return _page("landing.html", language, HTTPStatus.OK, page=content, branding=content.branding)


def closed_page(
    outcome: ClickOutcome,
    language: Language,
    *,
    destination: str | None = None,
    branding: Branding | None = None,
    begins_at: datetime | None = None,
) -> HTMLResponse:
    """Return 404 for an unknown code or an offer to come, 410 for one that has ended or is paused.

    A destination, where there is one, still leads the visitor to the sportsbook; branding, where
    there is one, is that of the campaign which it belongs to.
    """
    status = HTTPStatus.NOT_FOUND if outcome in NOT_FOUND_OUTCOMES else HTTPStatus.GONE
    return _closed_page(
        _TEXTS_OF.get(outcome, outcome).value,
        status,
        language,
        destination=destination,
        branding=branding,
        begins_at=begins_at,
    )


def too_many_requests_page(language: Language, *, retry_after_s: int) -> HTMLResponse:
    """Return 429, the same for every code, with Retry-After."""
    return _retry_later_page("too_many", HTTPStatus.TOO_MANY_REQUESTS, language, retry_after_s)


def unavailable_page(language: Language, *, retry_after_s: int) -> HTMLResponse:
    """Return 503 with Retry-After: without the database nothing is known of the code."""
    return _retry_later_page("away", HTTPStatus.SERVICE_UNAVAILABLE, language, retry_after_s)


class HtmlOutageRoute(APIRoute):
    """Route that answers a database outage with a page, since people read its answers."""

    def get_route_handler(self) -> Responder:
        return with_outage_page(super().get_route_handler())


def with_outage_page(answer: Responder) -> Responder:
    """Return a responder that answers an outage of the database with a page and 503."""

    async def answer_with_page(request: Request) -> Response:
        try:
            return await answer(request)
        except DATABASE_FAULTS as fault:
            log_if_transient(fault)
            language = negotiate_language(
                request.headers.get("accept-language", ""),
                preferred=request.query_params.get("lang"),
            )
            return unavailable_page(language, retry_after_s=RETRY_AFTER_S)

    return answer_with_page


def _retry_later_page(
    outcome: str, status: HTTPStatus, language: Language, retry_after_s: int
) -> HTMLResponse:
    page = _closed_page(outcome, status, language)
    page.headers["Retry-After"] = str(retry_after_s)
    return page


def _closed_page(
    outcome: str,
    status: HTTPStatus,
    language: Language,
    *,
    destination: str | None = None,
    branding: Branding | None = None,
    begins_at: datetime | None = None,
) -> HTMLResponse:
    return _page(
        "closed.html",
        language,
        status,
        branding=branding,
        outcome=outcome,
        destination=destination,
        begins_on=begins_at and _time_element(begins_at, language),
    )


def _time_element(moment: datetime, language: Language) -> Markup:
    element = Markup('<time datetime="{}">{}</time>')
    return element.format(moment.isoformat(), f"{format_moment(moment, UTC_ZONE, language)} UTC")


def _page(
    name: str,
    language: Language,
    status: int,
    *,
    branding: Branding | None,
    **variables: Any,  # noqa: ANN401
) -> HTMLResponse:
    template = TEMPLATES[language.tag, name]
    text = template.render(language=language, branding=branding, **variables)
    policy = content_security_policy(branding.image_source if branding else None)
    headers = {**PAGE_HEADERS, "Content-Security-Policy": policy}
    return HTMLResponse(text, int(status), {**headers, "Content-Language": language.tag})


def _load_templates(language: Language) -> dict[tuple[str, str], Template]:
    environment = Environment(
        loader=PackageLoader("api.link.landing"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(style=STYLE, script=SCRIPT, elsewhere=ELSEWHERE)
    environment.filters["tel"] = tel_url
    environment.install_gettext_callables(  # type: ignore[attr-defined] # of the extension
        language.gettext, _refuse_plural, newstyle=True
    )
    names = ("landing.html", "closed.html")
    return {(language.tag, name): environment.get_template(name) for name in names}


def _refuse_plural(_one: str, _many: str, _number: int) -> str:
    raise NotImplementedError("templates have no plural forms")


def _read_inline(name: str) -> Markup:
    source, _, _ = PackageLoader("api.link.landing").get_source(Environment(autoescape=True), name)
    return Markup(source)  # noqa: S704 # It is a file of this package.


def csp_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def content_security_policy(image_source: str | None = None) -> str:
    """Return the policy of a page, which loads nothing, or images of one source alone."""
    images = f"data: {image_source}" if image_source else "data:"
    return "; ".join((*_POLICY, f"img-src {images}"))


STYLE: Final = _read_inline("style.css")
SCRIPT: Final = _read_inline("script.js")
_POLICY: Final = (
    "default-src 'none'",
    f"style-src {csp_hash(STYLE)}",
    f"script-src {csp_hash(SCRIPT)}",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
PRIVATE_HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""Headers of every answer that carries a visitor's token."""
PAGE_HEADERS: Final = {
    **PRIVATE_HEADERS,
    "Vary": "Accept-Language, User-Agent",
    "X-Content-Type-Options": "nosniff",
}
TEMPLATES: Final = {
    key: template
    for language in LANGUAGES.values()
    for key, template in _load_templates(language).items()
}
