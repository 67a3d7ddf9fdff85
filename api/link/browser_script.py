"""`/referral.js`: keeps a link's token in the browser and fills it into the signup form."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

router = APIRouter(include_in_schema=False)
SCRIPT: Final = Path(__file__).with_name("referral.js").read_text()
HEADERS: Final = {
    "Cache-Control": "public, max-age=3600",
    # A signup page is on another host than the links.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
}


@router.head("/referral.js")
@router.get("/referral.js")
async def show_script() -> Response:
    return Response(SCRIPT, headers=HEADERS, media_type="text/javascript; charset=utf-8")
