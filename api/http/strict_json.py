"""Request bodies read strictly: bounded, JSON, every key once."""

import json
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.http.errors import Problem, invalid

_JSON: Final = "application/json"


class StrictRoute(APIRoute):
    """A route whose body is at most `body_limit_bytes` of JSON; 413, 415, 400 or 422 otherwise."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await answer(_StrictRequest(request.scope, request.receive))

        return strictly


class _StrictRequest(Request):
    _checked_body: bytes | None = None

    async def body(self) -> bytes:
        if self._checked_body is None:
            self._checked_body = await self._bounded()
            if self._checked_body:
                self._expect_json()
        return self._checked_body

    async def json(self) -> Any:  # noqa: ANN401 - whatever the caller sent
        return parsed(await self.body())

    async def _bounded(self) -> bytes:
        limit = self.app.state.settings.body_limit_bytes
        chunks, size = [], 0
        async for chunk in self.stream():
            size += len(chunk)
            if size > limit:
                raise Problem("body_too_large", f"A body has at most {limit} bytes.")
            chunks.append(chunk)
        return b"".join(chunks)

    def _expect_json(self) -> None:
        declared = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if declared != _JSON:
            raise Problem("unsupported_media_type")


def parsed(body: bytes) -> Any:  # noqa: ANN401 - whatever the caller sent
    """JSON in which no object repeats a key and every number is one."""
    try:
        return json.loads(body, object_pairs_hook=_object_without_repeats, parse_constant=_refuse)
    except (ValueError, RecursionError) as fault:
        raise Problem("malformed_json") from fault


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise invalid(name[:64], "This field appears twice")
        found[name] = value
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
