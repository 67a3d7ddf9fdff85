"""One attempt over HTTP, with a deadline, told as a value."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from referrals_client.outcomes import Ok, Outcome, Refused, Unavailable

NON_RETRYABLE_STATUSES: Final = frozenset({400, 404, 409, 410, 413, 415, 422})
"""Statuses that say no to what was asked. All others are about the way to the service, a key, a
rate or a fault: the same call may succeed later."""
NON_RETRYABLE_EVENT_STATUSES: Final = NON_RETRYABLE_STATUSES - {404, 410}
"""The same for events: their addresses are fixed, so 404 means that the way there is wrong."""
CONNECTIONS: Final = 100
MAX_DETAIL_CHARS: Final = 300
MAX_RESPONSE_BYTES: Final = 1_000_000
"""Bytes. Whatever stands between us and the service may answer in its place."""


class Wire:
    """Calls the service. Neither raises nor waits longer than it is told."""

    def __init__(self, url: str, api_key: str, *, http: httpx.AsyncClient | None = None) -> None:
        """With an `http` of your own, proxies and certificates are yours, and so is closing it."""
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._owns_http = http is None
        self._http = http or _default_client()

    async def post(self, path: str, content: bytes, *, within_s: float) -> Outcome[Any]:
        """Ask for something; `content` is JSON."""
        return await self._call("POST", path, within_s, NON_RETRYABLE_STATUSES, content=content)

    async def tell(self, path: str, content: bytes, *, within_s: float) -> Outcome[Any]:
        """Report an event: `Refused` only for what is wrong with the event itself."""
        outcome = await self._call(
            "POST", path, within_s, NON_RETRYABLE_EVENT_STATUSES, content=content
        )
        # Behind a wrong address somebody else may say yes to everything.
        if isinstance(outcome, Ok) and not _is_acknowledged(outcome.value):
            return Unavailable("unreadable answer")
        return outcome

    async def get(self, path: str, *, within_s: float) -> Outcome[Any]:
        return await self._call("GET", path, within_s, NON_RETRYABLE_STATUSES)

    async def close(self) -> None:
        if self._owns_http:
            await self._http.aclose()

    async def _call(
        self,
        method: str,
        path: str,
        within_s: float,
        refusals: frozenset[int],
        **more: Any,  # noqa: ANN401 - as httpx takes them
    ) -> Outcome[Any]:
        try:
            async with asyncio.timeout(within_s):
                request = self._http.stream(
                    method,
                    self._url + path,
                    headers=self._headers,
                    timeout=within_s,
                    follow_redirects=False,
                    **more,
                )
                async with request as answer:
                    body = await _bounded(answer)
            return _outcome(answer, body, refusals)
        except TimeoutError:
            return Unavailable("deadline")
        except Exception as fault:  # noqa: BLE001 - the caller's critical path begins here
            return Unavailable(type(fault).__name__)


def _default_client() -> httpx.AsyncClient:
    # Nobody's HTTP_PROXY or .netrc decides where players' events go.
    return httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=CONNECTIONS))


def _is_acknowledged(answer: object) -> bool:
    return isinstance(answer, dict) and answer.get("status") in {"accepted", "duplicate"}


async def _bounded(answer: httpx.Response) -> bytes:
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > MAX_RESPONSE_BYTES:
            raise ValueError("this is no answer of the service")
    return body


def _outcome(answer: httpx.Response, body: bytes, refusals: frozenset[int]) -> Outcome[Any]:
    if answer.is_success:
        return Ok(json.loads(body))
    if answer.status_code in refusals:
        return _refused(answer.status_code, body)
    return Unavailable(f"http {answer.status_code}", _retry_after_s(answer))


def _refused(status: int, body: bytes) -> Refused:
    """Whatever the body looks like: the status alone says no, so it must not be repeated."""
    problem = _problem_json(body)
    code = str(problem.get("code") or f"http_{status}")
    errors = problem.get("errors")
    listed = errors if isinstance(errors, list) else []
    fields = [
        f"{error.get('field')}: {error.get('message')}"
        for error in listed
        if isinstance(error, dict)
    ]
    detail = "; ".join(fields) or str(problem.get("detail", ""))
    return Refused(code, detail[:MAX_DETAIL_CHARS], status)


def _problem_json(body: bytes) -> Mapping[str, Any]:
    try:
        problem = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return problem if isinstance(problem, dict) else {}


def _retry_after_s(answer: httpx.Response) -> float | None:
    """Seconds or a date, as RFC 9110 has it; what is neither counts as not said."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
