"""One HTTP attempt with a deadline, returned as a value."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from referrals_client.outcomes import UNREADABLE_ANSWER, Ok, Outcome, Refused, Unavailable

NON_RETRYABLE_STATUSES: Final = frozenset({400, 404, 409, 410, 413, 415, 422})
"""Statuses that reject the call itself. All others concern the connection, the key, a rate limit or
a fault: the same call may succeed later."""
NON_RETRYABLE_EVENT_STATUSES: Final = NON_RETRYABLE_STATUSES - {404, 410}
"""The same for events, whose paths are fixed: a 404 means that the base URL is wrong."""
PROBLEM_TYPE: Final = "application/problem+json"
MAX_CONNECTIONS: Final = 100
MAX_DETAIL_CHARS: Final = 300
"""Bounds the text of a `Refused`, which is logged, and the code of an `Unavailable`."""
MAX_RESPONSE_BYTES: Final = 1_000_000
"""Bounds an answer, because a proxy may answer in the service's place."""


class Wire:
    """HTTP calls to the service that neither raise nor exceed their deadline."""

    def __init__(self, url: str, api_key: str, *, http: httpx.AsyncClient | None = None) -> None:
        """Pass your own `http` to set proxies and certificates; closing it stays with you."""
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._owns_http = http is None
        self._http = http or _default_client()

    async def post(self, path: str, content: bytes, *, within_s: float) -> Outcome[Any]:
        """POST JSON and wait for the answer."""
        return await self._call("POST", path, within_s, NON_RETRYABLE_STATUSES, content=content)

    async def tell(self, path: str, content: bytes, *, within_s: float) -> Outcome[Any]:
        """POST an event. `Refused` means that the event itself is wrong, not the URL or key.

        Only the service says so, with a code: a proxy's 400 or 413 is about the connection.
        """
        outcome = await self._call(
            "POST", path, within_s, NON_RETRYABLE_EVENT_STATUSES, with_code=True, content=content
        )
        # Behind a wrong URL another server may answer 200 to everything.
        if isinstance(outcome, Ok) and not _is_acknowledged(outcome.value):
            return UNREADABLE_ANSWER
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
        non_retryable: frozenset[int],
        *,
        with_code: bool = False,
        **options: Any,  # noqa: ANN401 - as httpx accepts them
    ) -> Outcome[Any]:
        try:
            async with asyncio.timeout(within_s):
                request = self._http.stream(
                    method,
                    self._url + path,
                    headers=self._headers,
                    timeout=within_s,
                    follow_redirects=False,
                    **options,
                )
                async with request as answer:
                    body = await _read_bounded(answer)
            if with_code and answer.is_client_error and not _has_code(answer, body):
                return Unavailable(f"http {answer.status_code}", _retry_after_s(answer))
            return _outcome(answer, body, non_retryable)
        except TimeoutError:
            return Unavailable("deadline")
        except Exception as fault:  # noqa: BLE001 - must not reach the caller's critical path
            return Unavailable(type(fault).__name__)


def _default_client() -> httpx.AsyncClient:
    # trust_env=False: no HTTP_PROXY or .netrc may redirect players' events.
    return httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=MAX_CONNECTIONS))


def _is_acknowledged(answer: object) -> bool:
    return isinstance(answer, dict) and answer.get("status") in {"accepted", "duplicate"}


async def _read_bounded(answer: httpx.Response) -> bytes:
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > MAX_RESPONSE_BYTES:
            raise ValueError(f"the answer has more than {MAX_RESPONSE_BYTES} bytes")
    return body


def _has_code(answer: httpx.Response, body: bytes) -> bool:
    """Return whether the service itself refused: its refusals are problem+json with a code."""
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == PROBLEM_TYPE and bool(_problem_json(body).get("code"))


def _outcome(answer: httpx.Response, body: bytes, non_retryable: frozenset[int]) -> Outcome[Any]:
    if answer.is_success:
        return Ok(json.loads(body))
    if answer.status_code in non_retryable:
        return _refusal(answer.status_code, body)
    code = _problem_json(body).get("code")
    return Unavailable(
        f"http {answer.status_code}",
        _retry_after_s(answer),
        code[:MAX_DETAIL_CHARS] if isinstance(code, str) else None,
    )


def _refusal(status: int, body: bytes) -> Refused:
    """Return the refusal, whatever its body looks like."""
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
    """Parse Retry-After (RFC 9110: seconds or a date); None for anything else."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
