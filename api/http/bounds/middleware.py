"""Bounds of one request's head, and of the requests that one process answers at a time."""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.errors import Problem, render_problem

MAX_URL_BYTES: Final = 8_192
"""Length of a path with its query; proxies allow as much."""
MAX_HEAD_BYTES: Final = 65_536
"""Bytes of all headers; browsers send a few thousand, of which cookies are the most."""
MAX_REQUESTS: Final = 1_000
"""Requests under way; what waits longer for Postgres than this crowd does is given up anyway."""
PROBED_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that are answered in any crowd, so that it is seen and not taken for a dead process."""
OVERHEAD_BYTES: Final = 4
"""Bytes of a header beside its name and value: a colon, a blank and the line's end."""


class BoundsMiddleware:
    """ASGI middleware that answers 400, 414, 431 and, in a crowd, 503 before any route."""

    def __init__(self, app: ASGIApp, *, max_requests: int = MAX_REQUESTS) -> None:
        self._app = app
        self._max_requests = max_requests
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = self._refusal(scope)
        if problem is not None:
            await render_problem(problem)(scope, receive, send)
            return
        self._requests += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._requests -= 1

    def _refusal(self, scope: Scope) -> Problem | None:
        if _url_bytes(scope) > MAX_URL_BYTES:
            return Problem(
                "url_too_long", f"Send a path and a query of at most {MAX_URL_BYTES} bytes."
            )
        headers = scope["headers"]
        if head_bytes(headers) > MAX_HEAD_BYTES:
            return headers_too_large()
        if any(name == b"transfer-encoding" and not _is_chunked(value) for name, value in headers):
            return Problem("bad_request", "Send no Transfer-Encoding but chunked.")
        if self._requests >= self._max_requests and scope["path"] not in PROBED_PATHS:
            return Problem("overloaded", headers={"Retry-After": "1"})
        return None


def headers_too_large() -> Problem:
    return Problem("headers_too_large", f"Send headers of at most {MAX_HEAD_BYTES} bytes in all.")


def head_bytes(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + OVERHEAD_BYTES for name, value in headers)


def _is_chunked(coding: bytes) -> bool:
    return coding.strip().lower() == b"chunked"


def _url_bytes(scope: Scope) -> int:
    return len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
