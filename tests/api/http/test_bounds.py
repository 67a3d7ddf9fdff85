"""Bounds of the HTTP server, on a real socket: heads, URLs, idle connections and crowds."""

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from api.app import build_app, server_config
from api.http.bounds.middleware import MAX_HEAD_BYTES, MAX_URL_BYTES, BoundsMiddleware
from api.http.bounds.protocol import BoundedProtocol
from db.engine import Database
from runtime.settings import Settings
from tests.api.bodies import assert_problem

PATIENCE_S: Final = 60
CHUNK: Final = b"x" * 65_536
HUGE_BYTES: Final = 60_000_000
ALIVE: Final = b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n"
Peer = tuple[StreamReader, StreamWriter]
Connect = Callable[[], Awaitable[Peer]]


class HastyProtocol(BoundedProtocol):
    """Connection that waits for nobody."""

    receive_timeout_s = 0.01


class NarrowProtocol(BoundedProtocol):
    """Connection beside which there is room for one more."""

    max_connections = 2


@pytest.fixture(scope="module")
def bounded_app(settings: Settings) -> FastAPI:
    nowhere = Database("postgresql+asyncpg://nobody@127.0.0.1:9/nothing", pool_size=1)
    return build_app(settings, nowhere)


@asynccontextmanager
async def served(
    settings: Settings, app: FastAPI, protocol: type[BoundedProtocol] = BoundedProtocol
) -> AsyncIterator[Connect]:
    config = server_config(settings, app, protocol)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: config.http_protocol_class(config=config, server_state=state, app_state={}),  # type: ignore[call-arg]
        "127.0.0.1",
        0,
    )
    port = server.sockets[0].getsockname()[1]
    peers: list[Peer] = []

    async def connect() -> Peer:
        peers.append(await asyncio.open_connection("127.0.0.1", port))
        return peers[-1]

    yield connect
    for _, writer in peers:
        writer.close()
    server.close()


async def send(writer: StreamWriter, start: bytes, *, then: bytes, up_to_bytes: int) -> int:
    """Send one chunk after another until the server ends the connection; return the bytes sent."""
    sent = 0
    writer.write(start)
    try:
        while sent < up_to_bytes:
            writer.write(then)
            await writer.drain()
            sent += len(then)
    except ConnectionError:
        pass
    return sent


async def read_all(reader: StreamReader) -> bytes:
    """Read until the server closes; a reset after its answer is an end as well."""
    received = b""
    async with asyncio.timeout(PATIENCE_S):
        try:
            while part := await reader.read(65_536):
                received += part
        except ConnectionResetError:
            pass
    return received


async def is_alive(peer: Peer) -> bool:
    reader, writer = peer
    writer.write(ALIVE)
    async with asyncio.timeout(PATIENCE_S):
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
    return head.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "start",
    [
        b"GET /healthz HTTP/1.1\r\nHost: api\r\nX-Huge: ",
        b"GET /healthz?",
        b"POST /v1/codes HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: ",
    ],
    ids=["header", "url", "trailer"],
)
async def test_a_head_of_60_megabytes_is_cut_off_and_stops_nobody(
    settings: Settings, bounded_app: FastAPI, start: bytes
) -> None:
    async with served(settings, bounded_app) as connect:
        _, attacker = await connect()
        other = await connect()

        sent = await send(attacker, start, then=CHUNK, up_to_bytes=HUGE_BYTES)

        assert sent < HUGE_BYTES
        assert await is_alive(other)


async def test_what_is_slightly_too_large_is_refused_with_a_code(
    settings: Settings, bounded_app: FastAPI
) -> None:
    async with served(settings, bounded_app) as connect:
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\nX-Large: " + b"x" * (MAX_HEAD_BYTES + 1))
        answer = await read_all(reader)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert b"application/problem+json" in head
    assert json.loads(body)["code"] == "headers_too_large"


async def test_what_is_not_http_is_refused_with_a_code(
    settings: Settings, bounded_app: FastAPI
) -> None:
    async with served(settings, bounded_app) as connect:
        reader, writer = await connect()
        writer.write(b"\x16\x03\x01\x02\x00 hello\r\n\r\n")
        answer = await read_all(reader)

    head, _, body = answer.partition(b"\r\n\r\n")
    status, *headers = head.decode().split("\r\n")
    assert status.startswith("HTTP/1.1 400 ")
    assert json.loads(body)["code"] == "bad_request"
    named = dict(header.split(": ", 1) for header in headers)
    assert (
        named.items() >= {"x-content-type-options": "nosniff", "cache-control": "no-store"}.items()
    )
    assert named["strict-transport-security"] == "max-age=31536000"
    assert named["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert len(named) == len(headers)


@pytest.mark.parametrize(
    "coding", ["gzip, chunked", "gzip\r\nTransfer-Encoding: chunked", "x, chunked"]
)
async def test_a_body_in_another_coding_than_chunks_is_not_read_as_plain_ones(
    settings: Settings, bounded_app: FastAPI, coding: str
) -> None:
    head = f"GET /healthz HTTP/1.1\r\nHost: api\r\nTransfer-Encoding: {coding}\r\n\r\n"
    async with served(settings, bounded_app) as connect:
        reader, writer = await connect()
        writer.write(head.encode() + b"2\r\n{}\r\n0\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.readuntil(b"}")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "bad_request"


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /healthz HTT", b"\r\n", b"POST /v1/codes HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"],
    ids=["nothing", "half a head", "an empty line", "half a body"],
)
async def test_a_connection_without_a_whole_request_is_closed(
    settings: Settings, bounded_app: FastAPI, sent: bytes
) -> None:
    async with served(settings, bounded_app, HastyProtocol) as connect:
        reader, writer = await connect()
        writer.write(sent)
        await read_all(reader)


async def test_a_body_in_many_parts_is_not_taken_for_a_head(
    settings: Settings, bounded_app: FastAPI
) -> None:
    async with served(settings, bounded_app) as connect:
        peer = await connect()
        head = b"GET /healthz HTTP/1.1\r\nHost: api\r\nContent-Length: %d\r\n\r\n" % (
            len(CHUNK) * 4
        )
        peer[1].write(head)
        for _ in range(4):
            peer[1].write(CHUNK)
            await peer[1].drain()

        assert await is_alive(peer)


async def test_a_new_connection_displaces_the_one_that_is_idle_longest(
    settings: Settings, bounded_app: FastAPI
) -> None:
    async with served(settings, bounded_app, NarrowProtocol) as connect:
        first, second = await connect(), await connect()
        assert await is_alive(first)
        assert await is_alive(second)

        third = await connect()

        assert await is_alive(third)
        assert await read_all(first[0]) == b""
        assert await is_alive(second)


async def test_a_request_too_many_is_refused_while_others_are_under_way() -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def busy(_: Scope, __: Receive, send: Send) -> None:
        begun.set()
        await finish.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    bounded = BoundsMiddleware(busy, max_requests=1)
    async with AsyncClient(transport=ASGITransport(bounded), base_url="http://api.test") as client:
        first = asyncio.create_task(client.get("/v1/codes/A"))
        await begun.wait()
        second, probe = await client.get("/v1/codes/B"), asyncio.create_task(client.get("/healthz"))
        finish.set()

        assert_problem(second, 503, "overloaded")
        assert second.headers["retry-after"] == "1"
        assert (await first).status_code == (await probe).status_code == 204
        assert (await client.get("/v1/codes/C")).status_code == 204


async def test_a_long_url_and_long_headers_are_refused(client: AsyncClient) -> None:
    url = await client.get("/v1/referrals", params={"cursor": "x" * MAX_URL_BYTES})
    many = {f"X-{n}": "x" * 1000 for n in range(MAX_HEAD_BYTES // 1000)}
    headers = await client.get("/v1/referrals", headers=many)

    assert_problem(url, 414, "url_too_long")
    assert_problem(headers, 431, "headers_too_large")
    assert headers.headers["x-request-id"]
