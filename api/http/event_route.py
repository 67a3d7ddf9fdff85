"""Route of an event: what FastAPI does for a route, without its resolution of dependencies.

That resolution, and FastAPI's way of answering, were a fifth of what a deposit costs the API.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, cast

from fastapi import Request
from fastapi.dependencies.utils import request_body_to_args
from fastapi.exceptions import RequestValidationError
from pydantic_core import PydanticUndefined, to_json
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from api.http.authorisation import Caller
from api.http.dependencies import time_of
from api.http.errors import Problem
from api.http.responders import Responder
from api.http.strict_json import StrictRequest, StrictRoute

CallerOf = Callable[[Request, datetime, object], Awaitable[Caller]]


class EventRoute(StrictRoute):
    """Route of an endpoint that takes a `body`, the `recording` and its `reporter`.

    It is documented by its signature, as any other. Bodies are read, callers authorised and
    refusals answered in FastAPI's order: first JSON, then the key, then the fields.
    """

    def get_route_handler(self) -> Responder:
        fields, endpoint, status = self.dependant.body_params, self.endpoint, self.status_code
        caller_of = cast(
            "CallerOf",
            next(each.call for each in self.dependant.dependencies if hasattr(each.call, "scopes")),
        )

        async def answer(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            body = await _json_of(strict)
            reporter = await caller_of(strict, await time_of(strict), None)
            values, errors = await request_body_to_args(fields, body, embed_body_fields=False)
            if errors:
                raise RequestValidationError(errors, body=body)
            recording = request.app.state.recording
            accepted = await endpoint(**values, recording=recording, reporter=reporter)
            return Response(to_json(accepted), status or 200, media_type=JSONResponse.media_type)

        return answer


async def _json_of(request: StrictRequest) -> Any:  # noqa: ANN401 - whatever the caller sent
    """Return the body's JSON, or FastAPI's mark of a body that is missing."""
    try:
        return await request.json() if await request.body() else PydanticUndefined
    except ClientDisconnect as fault:
        raise Problem("bad_request") from fault
