"""The adapter of the wallet, against a server that answers byte for byte what the test says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pytest

from domain.money import Money, RewardKind
from domain.wallet.orders import OrderKind
from integrations.wallet_http import HttpWallet
from referrals.wallet.port import (
    NotFound,
    PaymentRequest,
    Posted,
    Refused,
    WalletAwayError,
    WalletContradictsError,
    WalletUnclearError,
)

TOKEN: Final = "token"
REQUEST: Final = PaymentRequest(
    reference=UUID("0f0e2c0e-5a3c-5b0e-9a37-0a4f3c8f5c1d"),
    player_id="ann",
    amount=Money(1000, "USD"),
    kind=OrderKind.REWARD,
    reason="qualified",
    reward_id=UUID("6f1d2c3b-0000-5000-8000-000000000000"),
)
POSTED: Final[dict[str, Any]] = {
    "reference": str(REQUEST.reference),
    "status": "posted",
    "amount": {"minor": 1000, "currency": "USD"},
}


async def test_sends_what_the_contract_says() -> None:
    heard: list[bytes] = []
    async with wallet(answer(201, POSTED), heard) as asked:
        assert await asked.post(REQUEST) == Posted(Money(1000, "USD"))
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /base/v1/transactions HTTP/1.1\r\n")
    assert f"Idempotency-Key: {REQUEST.reference}".encode() in head
    assert b"Authorization: Bearer token" in head
    assert json.loads(body) == {
        "reference": str(REQUEST.reference),
        "player_id": "ann",
        "direction": "credit",
        "amount": {"minor": 1000, "currency": "USD"},
        "allow_partial": False,
        "kind": "reward",
        "reason": "qualified",
        "reward_id": str(REQUEST.reward_id),
    }


async def test_names_the_kind_of_a_reward_that_is_not_cash() -> None:
    heard: list[bytes] = []
    async with wallet(answer(201, POSTED), heard) as asked:
        await asked.post(replace(REQUEST, reward_kind=RewardKind.BONUS_BET))
    assert json.loads(heard[0].partition(b"\r\n\r\n")[2])["reward_kind"] == "bonus_bet"


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"amount": {"minor": 999, "currency": "USD"}}, WalletContradictsError),
        ({"amount": {"minor": 1000, "currency": "EUR"}}, WalletContradictsError),
        ({"reference": "another"}, WalletContradictsError),
        ({"reference": None}, WalletContradictsError),
        ({"player_id": "bob"}, WalletContradictsError),
        ({"direction": "debit"}, WalletContradictsError),
        ({"status": "pending"}, WalletUnclearError),
        ({"amount": {"minor": 1000.0, "currency": "USD"}}, WalletUnclearError),
        ({"amount": {"minor": "1000", "currency": "USD"}}, WalletUnclearError),
        ({"amount": {"minor": True, "currency": "USD"}}, WalletUnclearError),
        ({"amount": {"minor": -1000, "currency": "USD"}}, WalletUnclearError),
        ({"amount": 1000}, WalletUnclearError),
        ({"amount": None}, WalletUnclearError),
    ],
)
async def test_no_other_posting_is_taken_for_ours(
    changed: dict[str, Any], fault: type[WalletUnclearError]
) -> None:
    for method in ("post", "find"):
        async with wallet(answer(200, POSTED | changed)) as asked:
            with pytest.raises(fault):
                await getattr(asked, method)(REQUEST)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 409 Conflict\r\nContent-Length: 23\r\n\r\n" + b'{"code": "in_progress"}',
        b"HTTP/1.1 409 Conflict\r\nContent-Length: 19\r\n\r\n" + b'{"code": "refused"}',
        b"HTTP/1.1 500 Error\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone",
        b"not http at all",
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 2_000_000,
    ],
)
async def test_whatever_else_a_posting_is_answered_leaves_it_open(raw: bytes) -> None:
    async with wallet(raw) as asked:
        with pytest.raises(WalletUnclearError):
            await asked.post(REQUEST)


async def test_a_refusal_and_a_look_up_of_nothing_are_certain() -> None:
    refusal = {"code": "refused", "reason": "account_closed"}
    async with wallet(answer(409, refusal)) as asked:
        assert await asked.post(REQUEST) == Refused("account_closed")
    async with wallet(answer(404, {})) as asked:
        assert await asked.find(REQUEST) == NotFound()
    async with wallet(answer(200, {"status": "refused", "reason": "account_closed"})) as asked:
        assert await asked.find(REQUEST) == Refused("account_closed")


async def test_an_endless_answer_is_cut_off_at_the_time_limit() -> None:
    async with wallet(b"HTTP/1.1 200 OK\r\n\r\n{", hangs=True) as asked:
        with pytest.raises(WalletAwayError, match="no answer: "):
            await asked.post(REQUEST)


def answer(status: int, body: object) -> bytes:
    content = json.dumps(body).encode()
    return f"HTTP/1.1 {status} Any\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


@asynccontextmanager
async def wallet(
    raw: bytes, heard: list[bytes] | None = None, *, hangs: bool = False
) -> AsyncIterator[HttpWallet]:
    """Serve one raw answer to every connection, and connect a wallet to it."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in request.split(b"\r\n") if b"ength" in line), 0
        )
        request += await reader.readexactly(length)
        if heard is not None:
            heard.append(request)
        writer.write(raw)
        if hangs:
            await writer.drain()
            await ended.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connected = HttpWallet(f"http://127.0.0.1:{port}/base", token=TOKEN, timeout_s=1.0)
    try:
        yield connected
    finally:
        ended.set()
        await connected.aclose()
        server.close()
