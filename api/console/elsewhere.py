"""Addresses below the console that no page has: people mistype them, or reload an act's answer."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.console.pages import PageRoute
from api.console.sign_in import see
from api.http.errors import Problem

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/console/{path:path}")
async def show_no_page(request: Request, path: str) -> Response:
    """Lead to the address without its slash at the end, or say on a page that there is none."""
    if path.endswith("/"):
        return see(request.url.path.rstrip("/"))
    raise Problem("not_found", "No page of the console has this address.")
