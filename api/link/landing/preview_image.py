"""The image of link previews: the same for every link, without words or persons."""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

router = APIRouter(tags=["clicks"])

PREVIEW_IMAGE_PATH: Final = "/invitation.png"
PREVIEW_IMAGE: Final = (files("api.link.landing") / "pictures" / "preview.png").read_bytes()
"""Rendered from preview.svg beside it, because messengers show no SVG."""
IMAGE_HEADERS: Final = {
    "Cache-Control": "public, max-age=86400",
    "X-Content-Type-Options": "nosniff",
}


@router.head(PREVIEW_IMAGE_PATH, include_in_schema=False)
@router.get(
    PREVIEW_IMAGE_PATH,
    response_class=Response,
    responses={200: {"description": "A PNG of 1200 by 630 pixels", "content": {"image/png": {}}}},
)
async def show_picture() -> Response:
    """Return the image that the landing page names in Open Graph; only link previews load it."""
    return Response(PREVIEW_IMAGE, media_type="image/png", headers=IMAGE_HEADERS)
