"""Routes whose answers people read: an outage is told on a page, too."""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.http.errors import RETRY_AFTER_S
from api.link.landing.pages import unavailable_page
from api.link.languages import negotiate_language
from db.faults import DATABASE_FAULTS, is_transient

log = structlog.get_logger()


class HtmlOutageRoute(APIRoute):
    """503 is a page where another route answers problem+json."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def answer_with_page(request: Request) -> Response:
            try:
                return await answer(request)
            except DATABASE_FAULTS as fault:
                if not is_transient(fault):
                    raise
                log.warning("database_unavailable", fault=type(fault).__name__)
                accepted = request.headers.get("accept-language", "")
                language = negotiate_language(accepted, request.query_params.get("lang"))
                return unavailable_page(language, retry_after_s=RETRY_AFTER_S)

        return answer_with_page
