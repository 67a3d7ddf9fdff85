"""All routes of the console, and a page for addresses that have none."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.console import (
    campaigns,
    cases,
    ledger,
    oidc,
    operations,
    overview,
    referrals,
    search,
    sign_in,
    static,
)
from api.console.builder import drafting
from api.console.builder import routes as builder
from api.console.offers import explanations, simulations, switches
from api.console.pages import PageRoute
from api.console.sign_in import see
from api.http.errors import Problem

elsewhere = APIRouter(include_in_schema=False, route_class=PageRoute)


@elsewhere.get("/console/{path:path}")
async def show_no_page(request: Request, path: str) -> Response:
    """Lead to the address without its slash at the end, or say on a page that there is none.

    People mistype addresses, or load that of an act again.
    """
    if path.endswith("/"):
        return see(request.url.path.rstrip("/"))
    raise Problem("not_found", "No page of the console has this address.")


ROUTERS: Final = (
    static.router,
    sign_in.router,
    oidc.router,
    overview.router,
    cases.router,
    search.router,
    referrals.router,
    explanations.router,
    simulations.router,
    switches.router,
    builder.router,
    drafting.router,
    campaigns.router,
    ledger.router,
    operations.router,
    elsewhere,  # after all others
)
