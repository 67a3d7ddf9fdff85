"""Security headers of every answer, in one place; a route that sets one of them keeps its own."""

from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULTS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Answers are about players and money; what may be cached says so itself.
    "Cache-Control": "no-store",
    # A page has its own policy; anything else is not a page, and is framed by nobody.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
HSTS: Final = {"Strict-Transport-Security": "max-age=31536000"}
"""A year, for this host alone: its subdomains are the sportsbook's to decide about."""


def default_headers(public_url: str) -> Sequence[tuple[bytes, bytes]]:
    """Return the headers of an answer that sets none of them; HSTS where the link is https."""
    has_tls = public_url.startswith("https:")
    headers = DEFAULTS | (HSTS if has_tls else {})
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


class SecurityHeadersMiddleware:
    """ASGI middleware that adds the headers that an answer lacks; HSTS where the link is https."""

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        self._app = app
        self._headers = default_headers(public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                names = {name.lower() for name, _ in given}
                lacking = [header for header in self._headers if header[0] not in names]
                message["headers"] = [*given, *lacking]
            await send(message)

        await self._app(scope, receive, send_with_headers)
