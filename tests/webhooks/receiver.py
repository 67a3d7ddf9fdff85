"""A real HTTP receiver on loopback, whose answers a test chooses."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived."""

    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        return json.loads(self.body)

    def verify(self, secret: str) -> None:
        """Check the signature as the receivers' library does; raises when it is wrong."""
        Webhook(secret).verify(self.body, self.headers)


Answer = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Receiver:
    """The receiver's address, what it received, and how it answers."""

    url: str = ""
    answer: Answer = field(default_factory=lambda: status(204))
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    open: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def message_ids(self) -> list[str]:
        return [request.message_id for request in self.received]

    async def wait_for(self, count: int, *, within_s: float = 60) -> list[Received]:
        """Return what was received once there are at least `count` requests."""
        async with asyncio.timeout(within_s), self.arrived:
            await self.arrived.wait_for(lambda: len(self.received) >= count)
        return self.received

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                request = await _read(reader)
                self.received.append(request)
                async with self.arrived:
                    self.arrived.notify_all()
                await self.answer(request, writer)
        writer.close()

    async def close(self) -> None:
        """End the connections that are still open."""
        for task in self.open:
            task.cancel()
        await asyncio.gather(*self.open, return_exceptions=True)


def status(code: int, *, body: bytes = b"", **headers: str) -> Answer:
    """Make an answer with a status; `_` in a header's name stands for `-`."""

    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(head(code, len(body), **headers) + body)
        await writer.drain()

    return answer


def head(code: int, length: int, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {code} X", f"Content-Length: {length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def in_turn(*answers: Answer) -> Answer:
    """Give the first answer to the first request, and so on; the last one to all that follow."""
    left = list(answers)

    async def answer(request: Received, writer: asyncio.StreamWriter) -> None:
        chosen = left.pop(0) if len(left) > 1 else left[0]
        await chosen(request, writer)

    return answer


@asynccontextmanager
async def receiving(
    answer: Answer | None = None, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    receiver.answer = answer or status(204)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    receiver.url = f"{'https' if tls else 'http'}://{host}:{port}/hook?tenant=7"
    try:
        yield receiver
    finally:
        server.close()
        await receiver.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = text.split("\r\n")[:-2]
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(first.split(" ")[1], headers, body)
