"""Who reads what a link answers: their language, platform and place, as the request tells."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Query, Request

from api.http.dependencies import Config
from api.link.landing.jurisdictions import place_of
from api.link.languages import Language, negotiate_language
from api.link.user_agents import Platform, platform_of, user_agent_of
from domain.attribution.policy import Method

QR_QUERY: Final = {"via": "qr"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads a page, in which language and place."""

    language: Language
    platform: Platform
    place: str | None
    """As a trusted proxy tells it."""
    query_jurisdiction: str | None
    """As the link tells it, which can only make the page more careful."""
    followed_via: Method


async def page_context_of(
    request: Request,
    settings: Config,
    lang: Annotated[str, Query(description="`en`, `es`, `pt`, `fr` or `de`")] = "",
    jurisdiction: Annotated[str, Query(description="ISO 3166; may only conceal more")] = "",
    via: Annotated[str, Query(description="`qr` where a QR code was scanned")] = "",
) -> Reader:
    trusted = settings.jurisdiction_header
    return Reader(
        language=negotiate_language(request.headers.get("accept-language", ""), lang),
        platform=platform_of(user_agent_of(request)),
        place=place_of(request.headers.get(trusted, "")) if trusted else None,
        query_jurisdiction=place_of(jurisdiction),
        followed_via=Method.QR_CODE if via == QR_QUERY["via"] else Method.REFERRAL_TOKEN,
    )
