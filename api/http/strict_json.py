"""Strict reading of request bodies: bounded, JSON, no repeated keys."""

from email.message import Message
from typing import Any, ClassVar, Final

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.http.errors import Problem, invalid_field
from api.http.json_depth import path_at_depth
from api.http.responders import Responder
from domain.intake.strict_json import (
    BYTE_ORDER_MARK,
    MalformedJsonError,
    RepeatedKeyError,
    TooDeepJsonError,
    parse_json,
)

_JSON: Final = "application/json"
CHARSETS: Final = ("utf-8", "utf8", "us-ascii", "ascii")
"""Values of Content-Type's `charset` under which a body is UTF-8."""
PLAIN_ENCODINGS: Final = ("", "identity")
MAX_FIELD_NAME_CHARS: Final = 64
"""Length of a repeated key in an answer; it is the caller's own."""


class StrictRoute(APIRoute):
    """Route whose body is JSON of at most `body_limit_bytes`, or of the route's own limit.

    Refuses others with 413, 415, 400 (malformed) or 422 (a key that appears twice).
    """

    body_limit_bytes: ClassVar[int | None] = None
    """Limit in bytes where bodies of a route are larger than others; else the setting counts."""
    named_depth: ClassVar[int | None] = None
    """Depth at which JSON that nests too deep to be parsed is refused with its path, as 422."""

    def get_route_handler(self) -> Responder:
        answer = super().get_route_handler()

        async def answer_strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            strict.limit_bytes = self.body_limit_bytes
            strict.named_depth = self.named_depth
            return await answer(strict)

        return answer_strictly


class StrictRequest(Request):
    """Request whose body is bounded, and JSON."""

    _checked_body: bytes | None = None
    limit_bytes: int | None = None
    named_depth: int | None = None

    async def body(self) -> bytes:
        if self._checked_body is None:
            self._checked_body = await self._read_bounded()
            if self._checked_body:
                self._expect_json()
        return self._checked_body

    async def json(self) -> Any:  # noqa: ANN401 - whatever the caller sent
        return _parse_json(await self.body(), named_depth=self.named_depth)

    async def _read_bounded(self) -> bytes:
        limit = self.limit_bytes or self.app.state.settings.body_limit_bytes
        chunks, size = [], 0
        async for chunk in self.stream():
            size += len(chunk)
            if size > limit:
                raise Problem("body_too_large", f"Send a body of at most {limit} bytes.")
            chunks.append(chunk)
        return b"".join(chunks)

    def _expect_json(self) -> None:
        content_type = self.headers.get("content-type", "")
        encodings = self.headers.getlist("content-encoding")
        if content_type == _JSON and not encodings:
            return
        declared = Message()
        declared["content-type"] = content_type
        if declared.get_content_type() != _JSON:
            raise Problem("unsupported_media_type")
        if declared.get_content_charset("utf-8") not in CHARSETS:
            raise Problem("unsupported_media_type", "Send JSON in UTF-8.")
        if any(encoding.strip().lower() not in PLAIN_ENCODINGS for encoding in encodings):
            raise Problem("unsupported_media_type", "Send JSON without a Content-Encoding.")


def _parse_json(body: bytes, *, named_depth: int | None) -> Any:  # noqa: ANN401 - whatever the caller sent
    try:
        return parse_json(body)
    except TooDeepJsonError as fault:
        raise _too_deep(body, named_depth) from fault
    except MalformedJsonError as fault:
        raise Problem("malformed_json") from fault
    except RepeatedKeyError as fault:
        raise invalid_field(fault.key[:MAX_FIELD_NAME_CHARS], "Must not appear twice") from fault


def _too_deep(body: bytes, named_depth: int | None) -> Problem:
    if named_depth is None:
        return Problem("malformed_json")
    text = body.decode(errors="replace").removeprefix(BYTE_ORDER_MARK)
    path = path_at_depth(text, named_depth)
    return invalid_field(path or "body", f"Must not nest deeper than {named_depth}")
