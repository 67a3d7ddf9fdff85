"""The adapter of a fraud service, against a real server that answers what the test says."""

import json
from typing import Final

import pytest

from integrations.fraud_provider_http import (
    MAX_ANSWER_BYTES,
    FraudProviderError,
    HttpFraudProvider,
)
from tests.webhooks.receiver import Answer, receiving, status

TOKEN: Final = "token"


async def ask(answer: Answer) -> tuple[bool, dict[str, str], object]:
    """Ask about ann and ben; return the answer, and the request's headers and body."""
    async with receiving(answer) as receiver:
        provider = HttpFraudProvider(receiver.url, name="fraud-service", token=TOKEN)
        try:
            suspects = await provider.suspects(referrer_id="ann", referee_id="ben")
        finally:
            await provider.aclose()
    (request,) = receiver.received
    return suspects, request.headers, request.json()


@pytest.mark.parametrize("suspicious", [True, False])
async def test_asks_about_two_ids_and_nothing_else(*, suspicious: bool) -> None:
    body = json.dumps({"suspicious": suspicious, "model": "of the provider's own"}).encode()
    suspects, headers, question = await ask(status(200, body=body))
    assert suspects is suspicious
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert question == {"referrer_id": "ann", "referee_id": "ben"}


@pytest.mark.parametrize(
    "answer",
    [
        status(200, body=b'{"suspicious": "false"}'),
        status(200, body=b'{"suspicious": null}'),
        status(200, body=b'{"suspicious": 0}'),
        status(200, body=b"{}"),
        status(200, body=b"[]"),
        status(200, body=b'"suspicious"'),
        status(200, body=b"\xff\xfe"),
        status(200, body=b""),
        status(200, body=b"[" * 50_000),
        status(200, body=b'{"suspicious": false, "more": "' + b"x" * MAX_ANSWER_BYTES + b'"}'),
        status(201, body=b'{"suspicious": false}'),
        status(204),
        status(302, location="http://127.0.0.1:1/elsewhere"),
        status(500, body=b'{"suspicious": false}'),
    ],
)
async def test_an_answer_that_says_neither_yes_nor_no_is_none(answer: Answer) -> None:
    with pytest.raises(FraudProviderError):
        await ask(answer)


async def test_a_service_that_is_away_gives_no_answer() -> None:
    async with receiving() as receiver:
        url = receiver.url
    provider = HttpFraudProvider(url, name="fraud-service", token=TOKEN)
    with pytest.raises(FraudProviderError, match="no answer: ConnectError"):
        await provider.suspects(referrer_id="ann", referee_id="ben")
    await provider.aclose()
