"""A server on loopback that records requests and sends the replies of a test."""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

ACCEPTED: Final = {"status": "accepted"}


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply; without a status the server hangs up. `byte_s` is the pause before each byte."""

    status: int | None = 202
    body: Mapping[str, Any] = field(default_factory=lambda: ACCEPTED)
    headers: Mapping[str, str] = field(default_factory=dict)
    byte_s: float = 0


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    path: str
    body: Mapping[str, Any]
    at_s: float

    @property
    def event_id(self) -> str:
        return str(self.body["event_id"])


@dataclass(slots=True)
class StubServer:
    """A server that sends the replies of `script` in turn, then `always`, and none while muted."""

    url: str = ""
    always: Reply = field(default_factory=Reply)
    script: deque[Reply] = field(default_factory=deque)
    replies_by_player: dict[str, Reply] = field(default_factory=dict)
    """Replies by player, which take precedence over all others."""
    requests: list[ReceivedRequest] = field(default_factory=list)
    unmuted: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def mute(self) -> None:
        self.unmuted.clear()

    @property
    def event_ids(self) -> list[str]:
        return [request.event_id for request in self.requests]

    async def answer(self, path: str, body: Mapping[str, Any]) -> Reply:
        self.requests.append(ReceivedRequest(path, body, time.monotonic()))
        self.arrived.set()
        await self.unmuted.wait()
        given = self.replies_by_player.get(str(body.get("player_id")))
        return given or (self.script.popleft() if self.script else self.always)

    async def serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                reply = await self.answer(*await _request(head.decode(), reader))
                if reply.status is None:
                    break
                await _write(writer, reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def running_stub_server(port: int = 0) -> AsyncIterator[StubServer]:
    listener = StubServer()
    listener.unmuted.set()
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.ensure_future(listener.serve_connection(reader, writer))
        connections.add(connection)
        connection.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", port)
    listener.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield listener
    finally:
        server.close()
        for connection in list(connections):
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _request(head: str, reader: asyncio.StreamReader) -> tuple[str, Mapping[str, Any]]:
    first, *lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    length = int(headers.get("content-length", "0"))
    body = json.loads(await reader.readexactly(length)) if length else {}
    return first.split(" ")[1], body


async def _write(writer: asyncio.StreamWriter, reply: Reply) -> None:
    written = _encode(reply)
    size = 1 if reply.byte_s else len(written)
    for start in range(0, len(written), size):
        await asyncio.sleep(reply.byte_s)
        writer.write(written[start : start + size])
        await writer.drain()


def _encode(reply: Reply) -> bytes:
    body = json.dumps(reply.body).encode()
    lines = [f"HTTP/1.1 {reply.status} Reply", f"content-length: {len(body)}"]
    headers = {"content-type": "application/problem+json", **reply.headers}
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
