"""Route of the link: what FastAPI does for it, without its resolution of dependencies."""

from typing import Final

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.http.dependencies import time_of
from api.http.limits.admission import admit_link
from api.http.responders import Responder
from api.link.landing.pages import with_outage_page
from api.link.page_context import page_context_of
from runtime.settings import Settings

PAGE_QUERY: Final = ("lang", "jurisdiction", "via")
"""Query parameters of `page_context_of`."""


class LinkRoute(APIRoute):
    """Route of an endpoint that takes a `code`, the `request`, its `reader`, `passing` and `now`.

    It is documented by its signature, as any other. Nothing that it is sent is refused: all of its
    parameters are text.
    """

    def get_route_handler(self) -> Responder:
        endpoint = self.endpoint

        async def answer(request: Request) -> Response:
            code = request.path_params["code"]
            settings: Settings = request.app.state.settings
            now = await time_of(request)
            texts = {name: request.query_params.get(name, "") for name in PAGE_QUERY}
            reader = await page_context_of(request, settings, **texts)
            passing = await admit_link(request, code, now)
            response: Response = await endpoint(
                code=code, request=request, reader=reader, passing=passing, now=now
            )
            return response

        return with_outage_page(answer)
