"""Who reads what a link answers: their language, platform and place, as the request tells."""

from typing import Annotated

from fastapi import Query, Request

from api.http.dependencies import Config
from api.link.landing.places import place_of
from api.link.landing.views import SCANNED, Reader
from api.link.languages import asked_for
from api.link.platforms import agent_of, platform_of
from domain.attribution.policy import Method


async def reader_of(
    request: Request,
    settings: Config,
    lang: Annotated[str, Query(description="`en`, `es`, `pt`, `fr` or `de`")] = "",
    jurisdiction: Annotated[str, Query(description="ISO 3166; may only conceal more")] = "",
    via: Annotated[str, Query(description="`qr` where a QR code was scanned")] = "",
) -> Reader:
    trusted = settings.jurisdiction_header
    return Reader(
        language=asked_for(request.headers.get("accept-language", ""), lang),
        platform=platform_of(agent_of(request)),
        place=place_of(request.headers.get(trusted, "")) if trusted else None,
        claimed_place=place_of(jurisdiction),
        followed_by=Method.QR_CODE if via == SCANNED["via"] else Method.REFERRAL_TOKEN,
    )
