"""Context of a page at the link: language, platform and jurisdiction of its reader."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Query, Request

from api.http.dependencies import Config
from api.link.landing.jurisdictions import parse_jurisdiction
from api.link.languages import negotiate_language
from api.link.user_agents import Platform, platform_of, user_agent_of
from domain.attribution.policy import Method
from referrals.localisation.languages import Language

QR_QUERY: Final = {"via": "qr"}
"""Query of a link that is in a QR code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    language: Language
    platform: Platform
    trusted_jurisdiction: str | None
    """From the header of a trusted proxy."""
    query_jurisdiction: str | None
    """From the link's query, which can only conceal more."""
    followed_via: Method


async def page_context_of(
    request: Request,
    settings: Config,
    lang: Annotated[
        str, Query(description="Language of the page: `en`, `es`, `pt`, `fr` or `de`")
    ] = "",
    jurisdiction: Annotated[
        str, Query(description="ISO 3166 code of the visitor's place; can only conceal more")
    ] = "",
    via: Annotated[str, Query(description="`qr` if a QR code was scanned")] = "",
) -> PageContext:
    header = settings.jurisdiction_header
    return PageContext(
        language=negotiate_language(request.headers.get("accept-language", ""), preferred=lang),
        platform=platform_of(user_agent_of(request)),
        trusted_jurisdiction=(
            parse_jurisdiction(request.headers.get(header, "")) if header else None
        ),
        query_jurisdiction=parse_jurisdiction(jurisdiction),
        followed_via=Method.QR_CODE if via == QR_QUERY["via"] else Method.REFERRAL_TOKEN,
    )
