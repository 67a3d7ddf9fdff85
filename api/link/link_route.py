"""Route of the link: what FastAPI does for it, without its resolution of dependencies."""

from fastapi import Request
from starlette.responses import Response

from api.http.dependencies import time_of
from api.http.limits.admission import admit_link
from api.link.landing.pages import Answer, HtmlOutageRoute, with_outage_page
from api.link.page_context import page_context_of


class LinkRoute(HtmlOutageRoute):
    """Route of an endpoint that takes a `code`, the `request`, its `reader`, `passing` and `now`.

    It is documented by its signature, as any other. Nothing that it is sent is refused: all of its
    parameters are text.
    """

    def get_route_handler(self) -> Answer:
        endpoint = self.endpoint

        async def answer(request: Request) -> Response:
            query, code = request.query_params, request.path_params["code"]
            settings, now = request.app.state.settings, await time_of(request)
            reader = await page_context_of(
                request,
                settings,
                lang=query.get("lang", ""),
                jurisdiction=query.get("jurisdiction", ""),
                via=query.get("via", ""),
            )
            passing = await admit_link(request, code, now)
            response: Response = await endpoint(
                code=code, request=request, reader=reader, passing=passing, now=now
            )
            return response

        return with_outage_page(answer)
