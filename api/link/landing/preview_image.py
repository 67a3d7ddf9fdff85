"""The picture that link previews show: the same for everybody, and without words or persons."""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

router = APIRouter(tags=["clicks"])

PATH: Final = "/invitation.png"
# Drawn from preview.svg beside it; messengers show no SVG.
PREVIEW_IMAGE: Final = (files("api.link.landing") / "pictures" / "preview.png").read_bytes()
HEADERS: Final = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}


@router.head(PATH, include_in_schema=False)
@router.get(
    PATH,
    response_class=Response,
    responses={200: {"description": "A picture", "content": {"image/png": {}}}},
)
async def show_picture() -> Response:
    """What Open Graph names on the page of an invitation; nothing loads it but previews."""
    return Response(PREVIEW_IMAGE, media_type="image/png", headers=HEADERS)
