"""A lean HTTP/1.1 caller: a heavier one would measure itself on a small machine."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httptools

AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
"""A person's browser; what looks like a program is no invitation."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


class Caller:
    """Keeps connections open, as many as there were ever requests at the same time."""

    def __init__(self, url: str, *, key: str = "") -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._head = f"Host: {parts.netloc}\r\nUser-Agent: {AGENT}\r\nAuthorization: Bearer {key}"
        self._idle: list[_Connection] = []

    async def get(self, path: str) -> Answer:
        request = f"GET {path} HTTP/1.1\r\n{self._head}\r\n\r\n".encode()
        try:
            return await self._ask(request)
        except ConnectionResetError:
            # A server may close idle connections at the moment at which they are used again.
            self.close()
            return await self._ask(request)

    async def post(self, path: str, body: Mapping[str, object]) -> Answer:
        """RuntimeError for an answer that is no success."""
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\n{self._head}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        answer = await self._ask(head.encode() + content)
        if answer.status >= 300:
            raise RuntimeError(f"POST {path}: {answer.status} {answer.body.decode()}")
        return answer

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def _ask(self, request: bytes) -> Answer:
        connection = await self._open()
        answer = await connection.ask(request)
        self._idle.append(connection)
        return answer

    async def _open(self) -> "_Connection":
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        loop = asyncio.get_running_loop()
        _, opened = await loop.create_connection(_Connection, self._host, self._port)
        return opened


class _Connection(asyncio.Protocol):
    """One request at a time; the methods named on_* are the parser's."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self.is_open = True
        self._answer: asyncio.Future[Answer] | None = None
        self._body: list[bytes] = []

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        self._parser = httptools.HttpResponseParser(self)
        self._body = []
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none by inheritance.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("closed without an answer"))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._answer is not None and not self._answer.done():
            answer = Answer(self._parser.get_status_code(), b"".join(self._body))
            self._answer.set_result(answer)
