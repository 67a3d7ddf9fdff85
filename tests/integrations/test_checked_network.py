"""Connections of the sender: to checked addresses, resolved once, with TLS under the name."""

import asyncio
import shutil
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import httpcore
import pytest

from domain.webhooks.addresses import Addresses, IPAddress, is_public
from domain.webhooks.sending import SendError, SendResult, WebhookRequest
from integrations.checked_network import (
    CheckedBackend,
    Lookup,
    LookupFailedError,
    Resolver,
    SocketOptions,
    system_lookup,
)
from integrations.webhook_sender import WebhookSender, checked_backend
from tests.integrations.test_webhook_sender import SECRET
from tests.webhooks.receiver import receiving

OPENSSL = shutil.which("openssl")
PUBLIC_ADDRESS = "93.184.216.34"


class RecordingBackend(httpcore.AnyIOBackend):
    """Network backend that records where it is asked to connect, and connects to one port."""

    def __init__(self, port: int | None = None) -> None:
        self.asked: list[str] = []
        self._port = port

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.asked.append(host)
        if self._port is None:
            raise httpcore.ConnectError
        return await super().connect_tcp("127.0.0.1", self._port, timeout)


def answering(*answers: Sequence[str]) -> Lookup:
    """Make a look-up that gives one answer after the other."""
    left = list(answers)

    def lookup(_host: str, _port: int) -> Sequence[IPAddress]:
        return [ip_address(text) for text in left.pop(0)]

    return lookup


@asynccontextmanager
async def public_sender(
    lookup: Lookup, inner: RecordingBackend, *, trusted: ssl.SSLContext | None = None
) -> AsyncIterator[WebhookSender]:
    backend = CheckedBackend(is_allowed=is_public, resolver=Resolver(lookup), backend=inner)
    sender = WebhookSender(Addresses.PUBLIC, backend=backend, ssl_context=trusted)
    try:
        yield sender
    finally:
        await sender.close()


async def send(sender: WebhookSender, url: str) -> SendResult:
    request = WebhookRequest(url=url, message_id="event-1", body="{}", secrets=[SECRET])
    return await sender.send(request)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.8"],
        ["::1"],
        ["::ffff:169.254.169.254"],
        [PUBLIC_ADDRESS, "192.168.0.1"],
        ["192.168.0.1", PUBLIC_ADDRESS],
    ],
)
async def test_connects_nowhere_when_a_name_has_a_private_address(addresses: list[str]) -> None:
    inner = RecordingBackend()
    async with public_sender(answering(addresses), inner) as sender:
        result = await send(sender, "https://book.example/hook")
    assert result == SendResult(error=SendError.ADDRESS_REFUSED)
    assert inner.asked == []


async def test_a_second_answer_of_the_dns_server_changes_nothing() -> None:
    inner = RecordingBackend()
    lookup = answering([PUBLIC_ADDRESS], ["127.0.0.1"])
    async with public_sender(lookup, inner) as sender:
        await send(sender, "https://book.example/hook")
        assert inner.asked == [PUBLIC_ADDRESS]
        assert await send(sender, "https://book.example/hook") == SendResult(
            error=SendError.ADDRESS_REFUSED
        )
    assert inner.asked == [PUBLIC_ADDRESS]


async def test_tries_the_addresses_of_a_name_in_turn() -> None:
    inner = RecordingBackend()
    addresses = ["2606:2800:220:1::1", PUBLIC_ADDRESS]
    async with public_sender(answering(addresses), inner) as sender:
        result = await send(sender, "https://book.example/hook")
    assert result == SendResult(error=SendError.CONNECTION_FAILED)
    assert inner.asked == addresses


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "127.1", "0x7f.0.0.1", "0"]
)
async def test_a_real_look_up_of_this_machine_is_refused(host: str) -> None:
    async with receiving() as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        sender = WebhookSender(Addresses.PUBLIC)
        result = await send(sender, f"https://{host}:{port}/hook")
        await sender.close()
    assert result.error in {SendError.ADDRESS_REFUSED, SendError.DNS_FAILED}
    assert receiver.connections == 0


async def test_public_addresses_are_called_over_https_alone() -> None:
    inner = RecordingBackend()
    async with public_sender(answering([PUBLIC_ADDRESS]), inner) as sender:
        result = await send(sender, "http://book.example/hook")
    assert result == SendResult(error=SendError.ADDRESS_REFUSED)
    assert inner.asked == []


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".example"])
async def test_a_name_that_nobody_knows_is_a_value(host: str) -> None:
    sender = WebhookSender(Addresses.ANY, backend=checked_backend(Addresses.ANY))
    assert await send(sender, f"http://{host}/") == SendResult(error=SendError.DNS_FAILED)
    await sender.close()


async def test_looks_a_name_up_once_for_all_who_ask_at_the_same_time() -> None:
    asked, was_asked, may_answer = [], threading.Event(), threading.Event()

    def lookup(host: str, _port: int) -> Sequence[IPAddress]:
        asked.append(host)
        was_asked.set()
        may_answer.wait(10)
        return [ip_address(PUBLIC_ADDRESS)]

    resolver = Resolver(lookup)
    waiting = [asyncio.create_task(resolver.resolve("book.example", 443)) for _ in range(20)]
    await asyncio.to_thread(was_asked.wait, 10)
    waiting[0].cancel()
    may_answer.set()
    answers = await asyncio.gather(*waiting[1:])
    assert asked == ["book.example"]
    assert set(map(tuple, answers)) == {(ip_address(PUBLIC_ADDRESS),)}


async def test_names_that_hang_hold_nobody_elses_up() -> None:
    may_answer = threading.Event()

    def lookup(host: str, port: int) -> Sequence[IPAddress]:
        if host.startswith("hangs"):
            may_answer.wait(30)
        return system_lookup("127.0.0.1", port)

    resolver = Resolver(lookup)
    hanging = [asyncio.create_task(resolver.resolve(f"hangs-{n}", 443)) for n in range(16)]
    await asyncio.sleep(0)
    async with asyncio.timeout(25):
        assert await resolver.resolve("works", 443) == [ip_address("127.0.0.1")]
    may_answer.set()
    await asyncio.gather(*hanging)


async def test_a_look_up_that_finds_nothing_says_so() -> None:
    with pytest.raises(LookupFailedError):
        await Resolver(answering([])).resolve("book.example", 443)


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl for a certificate")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("book.example", SendResult(status=204)),
        ("other.example", SendResult(error=SendError.TLS_FAILED)),
    ],
)
async def test_the_certificate_is_checked_against_the_name(
    tmp_path: Path, name: str, expected: SendResult
) -> None:
    certificate, key = make_certificate(tmp_path, "book.example")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    trusted = ssl.create_default_context(cafile=str(certificate))
    async with receiving(tls=tls, host=name) as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])
        inner = RecordingBackend(port)
        async with public_sender(answering([PUBLIC_ADDRESS]), inner, trusted=trusted) as sender:
            assert await send(sender, receiver.url) == expected
    assert inner.asked == [PUBLIC_ADDRESS]


def make_certificate(directory: Path, name: str) -> tuple[Path, Path]:
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    files = ["-out", str(certificate), "-keyout", str(key)]
    new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run([str(OPENSSL), *new, *subject, *files], check=True, capture_output=True)
    return certificate, key
