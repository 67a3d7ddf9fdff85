"""Adapter of an outside fraud service: its HTTP interface, which names a pair suspicious or not."""

import json
from typing import Final

import httpx

from db.faults import QuotableError

CONNECT_TIMEOUT_S: Final = 1.0
ANSWER_TIMEOUT_S: Final = 5.0
"""Limit between two bytes; the activity that asks waits for the whole answer less than that."""
MAX_ANSWER_BYTES: Final = 65_536
MAX_CONNECTIONS: Final = 64


class FraudProviderError(QuotableError):
    """No answer that can be used: the provider counts as unavailable."""


class HttpFraudProvider:
    """The fraud service at `url`; it follows no redirect, and guesses nothing from an answer."""

    def __init__(self, url: str, *, name: str, token: str) -> None:
        self.name = name
        self._url = url
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS),
        )

    async def suspects(self, *, referrer_id: str, referee_id: str) -> bool:
        """Ask about a pair of players; raise FraudProviderError where no answer can be used."""
        question = {"referrer_id": referrer_id, "referee_id": referee_id}
        try:
            async with self._client.stream("POST", self._url, json=question) as answer:
                if answer.status_code != 200:
                    raise FraudProviderError(f"status {answer.status_code}")
                return _read(await _content_of(answer))
        except httpx.HTTPError as fault:
            raise FraudProviderError(f"no answer: {type(fault).__name__}") from fault

    async def aclose(self) -> None:
        await self._client.aclose()


async def _content_of(answer: httpx.Response) -> bytes:
    content = b""
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise FraudProviderError("an answer that is too long")
    return content


def _read(content: bytes) -> bool:
    try:
        suspicious = json.loads(content)["suspicious"]
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise FraudProviderError("an answer without `suspicious`") from fault
    if not isinstance(suspicious, bool):
        raise FraudProviderError("a `suspicious` that is neither true nor false")
    return suspicious
