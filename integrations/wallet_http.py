"""Adapter of the sportsbook's wallet: its HTTP interface, behind a time limit and a breaker."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import httpx
from circuitbreaker import CircuitBreaker

from domain.money import Money, RewardKind
from referrals.wallet.port import (
    NotFound,
    PaymentRequest,
    Posted,
    Refused,
    WalletAwayError,
    WalletContradictsError,
    WalletPage,
    WalletTransaction,
    WalletUnclearError,
)

CALL_TIMEOUT_S: Final = 5.0
"""Limit of one call, from the connection to the last byte; a lease of an order is longer."""
MAX_ANSWER_BYTES: Final = 1_048_576
"""A longer answer is not read to its end; a page of transactions is far shorter."""
MAX_CONNECTIONS: Final = 16
FAILURES_BEFORE_OPEN: Final = 8
"""Consecutive calls without an answer after which the wallet counts as away."""
OPEN_S: Final = 2.0
"""Seconds without calls before the next probe; a wallet that comes back is soon noticed."""
_AWAY_STATUSES: Final = frozenset({429, 502, 503, 504})

_Answer = TypeVar("_Answer")


class HttpWallet:
    """The wallet at `url`; it follows no redirect, and no answer is certain but those agreed on."""

    def __init__(self, url: str, *, token: str, timeout_s: float = CALL_TIMEOUT_S) -> None:
        self._transactions_url = f"{url.rstrip('/')}/v1/transactions"
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS),
        )
        self._breaker = CircuitBreaker(
            failure_threshold=FAILURES_BEFORE_OPEN,
            recovery_timeout=OPEN_S,
            expected_exception=WalletAwayError,
            name="wallet",
        )

    @property
    def is_away(self) -> bool:
        return bool(self._breaker.opened)

    async def post(self, request: PaymentRequest) -> Posted | Refused:
        answer = await self._call(
            "POST",
            self._transactions_url,
            json=_body_of(request),
            headers={"Idempotency-Key": str(request.reference)},
        )
        if answer.status_code in {200, 201}:
            return _posted(answer, request)
        if answer.status_code == 409:
            return _refused(answer)
        raise WalletUnclearError(f"status {answer.status_code}")

    async def find(self, request: PaymentRequest) -> Posted | Refused | NotFound:
        answer = await self._call("GET", f"{self._transactions_url}/{request.reference}")
        if answer.status_code == 404:
            return NotFound()
        if answer.status_code != 200:
            raise WalletUnclearError(f"status {answer.status_code} of a look-up")
        return _kept_refusal(answer) or _posted(answer, request)

    async def list_transactions(
        self, *, since: datetime, until: datetime, cursor: str | None
    ) -> WalletPage:
        query = {"from": since.isoformat(), "to": until.isoformat()}
        if cursor is not None:
            query["cursor"] = cursor
        answer = await self._call("GET", self._transactions_url, params=query)
        if answer.status_code != 200:
            raise WalletUnclearError(f"status {answer.status_code} of a list")
        return _read(_page, answer)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _call(
        self,
        method: str,
        url: str,
        **options: Any,  # noqa: ANN401 - as httpx takes them
    ) -> httpx.Response:
        if self._breaker.opened:
            raise WalletAwayError("not called: the wallet has not answered lately")
        with self._breaker:
            return await self._call_once(method, url, **options)

    async def _call_once(self, method: str, url: str, **options: Any) -> httpx.Response:  # noqa: ANN401
        answer = await _within(self._timeout_s, lambda: self._send(method, url, options))
        if answer.status_code in _AWAY_STATUSES:
            raise WalletAwayError(f"status {answer.status_code}")
        return answer

    async def _send(self, method: str, url: str, options: Mapping[str, Any]) -> httpx.Response:
        async with self._client.stream(method, url, **options) as answer:
            content = b""
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise WalletUnclearError("an answer that is too long")
            return httpx.Response(answer.status_code, content=content, request=answer.request)


async def _within(
    timeout_s: float, send: Callable[[], Awaitable[httpx.Response]]
) -> httpx.Response:
    try:
        async with asyncio.timeout(timeout_s):
            return await send()
    except (httpx.TransportError, TimeoutError) as fault:
        raise WalletAwayError(f"no answer: {type(fault).__name__}") from fault
    except httpx.HTTPError as fault:
        raise WalletUnclearError(f"no answer: {type(fault).__name__}") from fault


def _body_of(request: PaymentRequest) -> dict[str, Any]:
    body = {
        "reference": str(request.reference),
        "player_id": request.player_id,
        "direction": request.direction.value,
        "amount": {"minor": request.amount.minor, "currency": request.amount.currency},
        "allow_partial": request.kind.allows_partial,
        "kind": request.kind.value,
        "reason": request.reason,
        "reward_id": str(request.reward_id),
    }
    # Left out for cash, so that a wallet that knows no other kind sees what it always saw.
    if request.reward_kind is not RewardKind.CASH:
        body["reward_kind"] = request.reward_kind.value
    return body


def _posted(answer: httpx.Response, request: PaymentRequest) -> Posted:
    body, amount = _read(_posted_fields, answer)
    expected = {
        "reference": str(request.reference),
        "player_id": request.player_id,
        "direction": request.direction.value,
    }
    wrong = [name for name, value in expected.items() if body.get(name) not in (value, None)]
    if body.get("reference") is None:
        wrong.append("reference")
    if not _is_possible(amount, request):
        wrong.append("amount")
    if wrong:
        raise WalletContradictsError(f"the wallet posted another {', '.join(sorted(wrong))}")
    return Posted(amount)


def _is_possible(amount: Money, request: PaymentRequest) -> bool:
    if amount.currency != request.amount.currency:
        return False
    is_partial = request.kind.allows_partial and amount.minor < request.amount.minor
    return is_partial or amount.minor == request.amount.minor


def _posted_fields(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], Money]:
    if body["status"] != "posted":
        raise ValueError("a status that is not `posted`")
    return body, _money(body["amount"])


def _refused(answer: httpx.Response) -> Refused:
    def reason_of(body: Mapping[str, Any]) -> str:
        if body["code"] != "refused" or not isinstance(body["reason"], str):
            raise ValueError("a conflict that is not a refusal")
        return str(body["reason"])

    return Refused(_read(reason_of, answer))


def _kept_refusal(answer: httpx.Response) -> Refused | None:
    """Return the refusal that a wallet keeps under a reference, if the answer is one."""

    def refusal_of(body: Mapping[str, Any]) -> Refused | None:
        is_refused = body["status"] == "refused"
        return Refused(str(body.get("reason") or "unspecified")) if is_refused else None

    return _read(refusal_of, answer)


def _page(body: Mapping[str, Any]) -> WalletPage:
    cursor = body["next_cursor"]
    if cursor is not None and not isinstance(cursor, str):
        raise TypeError("a cursor that is not text")
    return WalletPage([_transaction(item) for item in body["items"]], cursor)


def _transaction(item: Mapping[str, Any]) -> WalletTransaction:
    posted_at = datetime.fromisoformat(item["posted_at"])
    if posted_at.tzinfo is None:
        raise ValueError("a time without an offset")
    reward_id = item.get("reward_id")
    return WalletTransaction(
        reference=str(item["reference"]),
        player_id=str(item["player_id"]),
        direction=str(item["direction"]),
        amount=_money(item["amount"]),
        reward_id=None if reward_id is None else str(reward_id),
        status=str(item["status"]),
        posted_at=posted_at,
    )


def _money(value: Mapping[str, Any]) -> Money:
    minor, currency = value["minor"], value["currency"]
    if type(minor) is not int or not isinstance(currency, str):
        raise TypeError("an amount that is not whole minor units")
    return Money(minor, currency)


def _read(parse: Callable[[Mapping[str, Any]], _Answer], answer: httpx.Response) -> _Answer:
    """Parse an answer; one that is not as agreed leaves open what the wallet did."""
    try:
        return parse(json.loads(answer.content))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as fault:
        raise WalletUnclearError(
            f"an answer that is not as agreed, with status {answer.status_code}"
        ) from fault
