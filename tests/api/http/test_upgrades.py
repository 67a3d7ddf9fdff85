"""Offers to speak another protocol: they are ignored, and the request counts as it is."""

import asyncio
import json
from typing import ClassVar, Final

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from api.http.bounds.protocol import BoundedProtocol
from runtime.settings import Settings
from tests.api.bodies import deposit
from tests.api.http.test_bounds import PATIENCE_S, Peer, is_alive, served

OFFERS: Final = {
    "http2, as Java's client": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
    "lower case": "connection: upgrade\r\nupgrade: h2c\r\n",
    "a websocket": "Connection: Upgrade\r\nUpgrade: websocket\r\n",
    "TLS": "Connection: keep-alive, Upgrade\r\nUpgrade: TLS/1.2\r\n",
    "none": "",
}


def request_with(offer: str, body: bytes, key: str, *, chunked: bool) -> bytes:
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    head = (
        f"POST /v1/events/deposits HTTP/1.1\r\nHost: api\r\nAuthorization: {key}\r\n{offer}"
        f"Content-Type: application/json\r\n{length}\r\n\r\n"
    )
    sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    return head.encode() + sent


async def answer_of(peer: Peer) -> tuple[int, dict[str, object]]:
    reader, _ = peer
    async with asyncio.timeout(PATIENCE_S):
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        return int(head.split()[1]), json.loads(await reader.readexactly(length))


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
async def test_an_event_beside_an_offer_arrives_whole_and_the_next_one_too(
    app: FastAPI, client: AsyncClient, settings: Settings, offer: str, *, chunked: bool
) -> None:
    async with served(settings, app) as connect:
        peer = await connect()
        for _ in range(2):
            body = json.dumps(deposit()).encode() + b"\r\n"
            key = client.headers["Authorization"]
            peer[1].write(request_with(offer, body, key, chunked=chunked))
            status, answer = await answer_of(peer)
            assert (status, answer["status"]) == (202, "accepted"), answer


async def test_an_offer_that_comes_byte_by_byte_is_ignored_too(
    app: FastAPI, client: AsyncClient, settings: Settings
) -> None:
    body = json.dumps(deposit()).encode() + b"\r\n"
    offer = OFFERS["http2, as Java's client"]
    request = request_with(offer, body, client.headers["Authorization"], chunked=False)
    async with served(settings, app, OneByOne) as connect:
        peer = await connect()
        peer[1].write(request)
        status, answer = await answer_of(peer)
    assert (status, answer["status"]) == (202, "accepted"), answer


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
async def test_a_request_without_a_body_is_answered_wherever_its_head_is_split(
    app: FastAPI, settings: Settings, offer: str
) -> None:
    head = f"GET /healthz HTTP/1.1\r\nHost: api\r\n{offer}\r\n".encode()
    async with served(settings, app, InTwo) as connect:
        peer = await connect()
        for InTwo.first_bytes in range(1, len(head)):
            peer[1].write(head)
            status, _ = await answer_of(peer)
            assert status == 200


async def test_a_request_without_a_body_is_answered_when_it_comes_byte_by_byte(
    app: FastAPI, settings: Settings
) -> None:
    async with served(settings, app, OneByOne) as connect:
        peer = await connect()
        assert await is_alive(peer)
        assert await is_alive(peer)


class InTwo(BoundedProtocol):
    """Connection on a network that delivers a request in two parts."""

    first_bytes: ClassVar[int] = 1

    def data_received(self, data: bytes) -> None:
        super().data_received(data[: self.first_bytes])
        super().data_received(data[self.first_bytes :])


class OneByOne(BoundedProtocol):
    """Connection on a network that delivers every byte by itself."""

    def data_received(self, data: bytes) -> None:
        for byte in data:
            super().data_received(bytes([byte]))
