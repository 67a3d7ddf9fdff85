"""Who reads what a link answers: their language, platform and place, as the request tells."""

from typing import Annotated

from fastapi import Query, Request

from api.http.dependencies import Config
from api.link.landing.places import place_of
from api.link.landing.views import QR_QUERY, Reader
from api.link.languages import negotiate_language
from api.link.platforms import platform_of, user_agent_of
from domain.attribution.policy import Method


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
