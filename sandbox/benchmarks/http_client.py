"""A lean HTTP/1.1 client: a heavier one would measure itself on a small machine."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httptools

USER_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
"""A browser's: a click by anything that looks like a program makes no invitation."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


class HttpClient:
    """A client that keeps one connection open for each request that was ever in flight at once."""

    def __init__(self, url: str, *, key: str = "") -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._head = (
            f"Host: {parts.netloc}\r\nUser-Agent: {USER_AGENT}\r\nAuthorization: Bearer {key}"
        )
        self._idle: list[_Connection] = []

    async def get(self, path: str) -> HttpResponse:
        request = f"GET {path} HTTP/1.1\r\n{self._head}\r\n\r\n".encode()
        try:
            return await self._send(request)
        except ConnectionResetError:
            # A server may close idle connections at the moment at which they are used again.
            self.close()
            return await self._send(request)

    async def post(self, path: str, body: Mapping[str, object]) -> HttpResponse:
        """Return a successful response; raise RuntimeError for any other."""
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\n{self._head}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        response = await self._send(head.encode() + content)
        if response.status >= 300:
            raise RuntimeError(f"POST {path}: {response.status} {response.body.decode()}")
        return response

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def _send(self, request: bytes) -> HttpResponse:
        connection = await self._connect()
        response = await connection.send(request)
        self._idle.append(connection)
        return response

    async def _connect(self) -> "_Connection":
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        loop = asyncio.get_running_loop()
        _, opened = await loop.create_connection(_Connection, self._host, self._port)
        return opened


class _Connection(asyncio.Protocol):
    """A connection for one request at a time; the parser calls the methods named on_*."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self.is_open = True
        self._response: asyncio.Future[HttpResponse] | None = None
        self._body: list[bytes] = []

    def send(self, request: bytes) -> asyncio.Future[HttpResponse]:
        self._parser = httptools.HttpResponseParser(self)
        self._body = []
        self._response = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._response

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._response is not None and not self._response.done():
            self._response.set_exception(exc or ConnectionResetError("closed without a response"))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._response is not None and not self._response.done():
            response = HttpResponse(self._parser.get_status_code(), b"".join(self._body))
            self._response.set_result(response)
