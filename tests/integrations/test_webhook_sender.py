"""The sender of webhooks, against real receivers on loopback."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks import WebhookVerificationError

from domain.webhooks.addresses import Addresses
from domain.webhooks.sending import SendError, SendResult, WebhookRequest
from integrations.webhook_sender import MAX_BODY_BYTES, WebhookSender
from tests.webhooks.receiver import Received, head, in_turn, receiving, status

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"o" * 32).decode()
BODY = '{"type": "RewardGranted", "note": "Größe €, \\u001b"}'
HASTY_S = 0.5
"""Time limit of the sender whose time-outs are the point."""
TAKEN_FOR_LATE_S = 30.0


@pytest.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    sender = WebhookSender(Addresses.ANY, timeout_s=60)
    yield sender
    await sender.close()


@pytest.fixture
async def hasty() -> AsyncIterator[WebhookSender]:
    sender = WebhookSender(Addresses.ANY, timeout_s=HASTY_S)
    yield sender
    await sender.close()


async def send(sender: WebhookSender, url: str, *secrets: str, body: str = BODY) -> SendResult:
    request = WebhookRequest(url=url, message_id="event-1", body=body, secrets=secrets or (SECRET,))
    return await sender.send(request)


async def test_posts_the_body_as_it_is_with_a_signature_that_the_library_verifies(
    sender: WebhookSender,
) -> None:
    async with receiving() as receiver:
        result = await send(sender, receiver.url)
    (request,) = receiver.received
    assert result.is_delivered
    assert result.status == 204
    request.verify(SECRET)
    assert request.body == BODY.encode()
    assert request.target == "/hook?tenant=7"
    assert request.message_id == "event-1"
    assert request.headers["content-type"] == "application/json"
    assert abs(int(request.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    with pytest.raises(WebhookVerificationError):
        request.verify(OTHER_SECRET)


async def test_signs_with_each_secret_in_one_header(sender: WebhookSender) -> None:
    async with receiving() as receiver:
        await send(sender, receiver.url, SECRET, OTHER_SECRET)
    (request,) = receiver.received
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    request.verify(SECRET)
    request.verify(OTHER_SECRET)


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
async def test_every_status_of_success_is_delivered(sender: WebhookSender, code: int) -> None:
    async with receiving(status(code)) as receiver:
        assert await send(sender, receiver.url) == SendResult(status=code)


@pytest.mark.parametrize("code", [400, 401, 404, 410, 500, 503])
async def test_every_other_answer_is_a_failure(sender: WebhookSender, code: int) -> None:
    async with receiving(status(code)) as receiver:
        result = await send(sender, receiver.url)
    assert result == SendResult(status=code, error=SendError.HTTP_STATUS)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_follows_no_redirect(sender: WebhookSender, code: int) -> None:
    async with (
        receiving() as elsewhere,
        receiving(status(code, Location=elsewhere.url)) as receiver,
    ):
        result = await send(sender, receiver.url)
    assert result == SendResult(status=code, error=SendError.REDIRECT)
    assert elsewhere.received == []


async def test_sends_no_cookie_back(sender: WebhookSender) -> None:
    async with receiving(status(200, Set_Cookie="tracked=1")) as receiver:
        for _ in range(2):
            await send(sender, receiver.url)
    assert [request.headers.get("cookie") for request in receiver.received] == [None, None]


async def test_ignores_the_proxies_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        sender = WebhookSender(Addresses.ANY)
        assert (await send(sender, receiver.url)).is_delivered
        await sender.close()
    assert proxy.received == []


async def test_a_slow_drip_of_headers_ends_at_the_time_limit(hasty: WebhookSender) -> None:
    async def drip(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1000):
            writer.write(f"X-{number}: drop\r\n".encode())
            await writer.drain()
            await asyncio.sleep(HASTY_S / 10)

    async with receiving(drip) as receiver:
        started = asyncio.get_running_loop().time()
        result = await send(hasty, receiver.url)
        took_s = asyncio.get_running_loop().time() - started
    assert result == SendResult(error=SendError.TIMEOUT)
    assert took_s < TAKEN_FOR_LATE_S


async def test_interim_answers_do_not_extend_the_time_limit(hasty: WebhookSender) -> None:
    async def hint(_: Received, writer: asyncio.StreamWriter) -> None:
        for _number in range(1000):
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(HASTY_S / 10)

    async with receiving(hint) as receiver:
        assert await send(hasty, receiver.url) == SendResult(error=SendError.TIMEOUT)


async def test_a_status_that_was_received_counts_whatever_the_body_does(
    sender: WebhookSender,
) -> None:
    async def drip(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(head(200, 1000))
        await asyncio.Event().wait()

    async def pour(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(head(200, 10**9))
        while True:
            writer.write(b"x" * MAX_BODY_BYTES)
            await writer.drain()

    async def stop_short(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(head(200, 1000) + b"half")
        writer.close()

    for answer in (drip, pour, stop_short):
        async with receiving(answer) as receiver:
            started = asyncio.get_running_loop().time()
            assert await send(sender, receiver.url) == SendResult(status=200)
            assert asyncio.get_running_loop().time() - started < TAKEN_FOR_LATE_S


@pytest.mark.parametrize(
    ("given", "expected_s"),
    [
        ("120", 120.0),
        ("soon", None),
        ("-5", None),
        ("9" * 400, 999_999_999.0),
        ("", None),
    ],
)
async def test_reads_retry_after_in_seconds(
    sender: WebhookSender, given: str, expected_s: float | None
) -> None:
    async with receiving(status(503, Retry_After=given)) as receiver:
        result = await send(sender, receiver.url)
    assert result.retry_after_s == expected_s


async def test_reads_retry_after_as_a_date(sender: WebhookSender) -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    async with receiving(status(503, Retry_After=in_an_hour)) as receiver:
        result = await send(sender, receiver.url)
    assert result.retry_after_s == pytest.approx(3600, abs=60)


async def test_a_receiver_that_is_away_is_a_value(sender: WebhookSender) -> None:
    async with receiving() as receiver:
        url = receiver.url
    assert await send(sender, url) == SendResult(error=SendError.CONNECTION_FAILED)


@pytest.mark.parametrize(
    "answer",
    [b"", b"not HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000 + b"\r\n\r\n"],
    ids=["nothing", "not HTTP", "a header without end"],
)
async def test_an_answer_that_is_not_http_is_a_value(sender: WebhookSender, answer: bytes) -> None:
    async def answer_so(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with receiving(answer_so) as receiver:
        result = await send(sender, receiver.url)
    assert result == SendResult(error=SendError.CONNECTION_FAILED)


async def test_uses_a_connection_again_and_survives_one_that_was_closed(
    sender: WebhookSender,
) -> None:
    async def answer_and_close(request: Received, writer: asyncio.StreamWriter) -> None:
        await status(200)(request, writer)
        writer.close()

    kept = status(200, body=b"thank you")
    async with receiving(in_turn(kept, answer_and_close, kept)) as receiver:
        for _ in range(3):
            assert (await send(sender, receiver.url)).is_delivered
            await asyncio.sleep(0)
    assert receiver.connections <= 2


async def test_the_body_arrives_unchanged_for_every_json_text(sender: WebhookSender) -> None:
    bodies = [json.dumps({"note": note}, ensure_ascii=False) for note in ("", "\\", "𝄞", " ")]
    async with receiving() as receiver:
        for body in bodies:
            await send(sender, receiver.url, body=body)
    assert [request.body.decode() for request in receiver.received] == bodies
    for request in receiver.received:
        request.verify(SECRET)


def test_shows_neither_the_url_nor_a_secret_when_it_is_printed() -> None:
    url = "https://book.example/?token=t"
    request = WebhookRequest(url=url, message_id="1", body="b", secrets=[SECRET])
    assert "token" not in repr(request)
    assert "whsec" not in repr(request)
