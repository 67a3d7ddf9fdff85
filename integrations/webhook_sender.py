"""Sender of webhooks: one signed POST as the Standard Webhooks specification says."""

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpcore
import httpx
from standardwebhooks import Webhook

from domain.webhooks.addresses import Addresses, is_public
from domain.webhooks.sending import SendError, SendResult, WebhookRequest
from integrations.checked_network import (
    AddressRefusedError,
    CheckedBackend,
    LookupFailedError,
    Resolver,
)

TIMEOUT_S: Final = 15.0
"""For everything: DNS, connecting, TLS, sending and the answer's status and headers."""
BODY_TIMEOUT_S: Final = 1.0
"""For what is read of the answer's body, which decides nothing."""
_BEFORE_THE_END_S: Final = 0.05
MAX_BODY_BYTES: Final = 4096
"""Read of an answer's body, so that a short one lets the connection be used again."""
KEPT_CONNECTIONS: Final = 64
KEPT_FOR_S: Final = 5.0
USER_AGENT: Final = "referrals-webhooks/1"


class WebhookSender:
    """Sends webhooks over connections of its own.

    It follows no redirects, keeps no cookies, and ignores the environment's proxies.
    """

    def __init__(
        self,
        addresses: Addresses,
        *,
        timeout_s: float = TIMEOUT_S,
        backend: CheckedBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._needs_https = addresses is Addresses.PUBLIC
        self._timeout_s = timeout_s
        self._pool = httpcore.AsyncConnectionPool(
            # Reads SSL_CERT_FILE where it is set, else the bundle that httpx brings.
            ssl_context=ssl_context or httpx.create_ssl_context(),
            network_backend=backend or checked_backend(addresses),
            # Callers bound their attempts. A pool with a bound loses places to requests that are
            # cancelled while they wait for one (encode/httpcore 1093).
            max_connections=None,
            max_keepalive_connections=KEPT_CONNECTIONS,
            keepalive_expiry=KEPT_FOR_S,
        )

    async def send(self, request: WebhookRequest) -> SendResult:
        """Make one attempt, which ends within the time limit; faults of the endpoint are values."""
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        try:
            async with asyncio.timeout_at(deadline):
                return await self._send(request, deadline=deadline)
        except (TimeoutError, httpcore.TimeoutException):
            return SendResult(error=SendError.TIMEOUT)
        except AddressRefusedError:
            return SendResult(error=SendError.ADDRESS_REFUSED)
        except LookupFailedError:
            return SendResult(error=SendError.DNS_FAILED)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.InvalidURL) as fault:
            return SendResult(error=_connection_error(fault))

    async def close(self) -> None:
        await self._pool.aclose()

    async def _send(self, request: WebhookRequest, *, deadline: float) -> SendResult:
        url = httpx.URL(request.url)
        if self._needs_https and url.scheme != "https":
            return SendResult(error=SendError.ADDRESS_REFUSED)
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        body = request.body.encode()
        headers = [(b"Host", url.netloc), *_headers(request, length=len(body))]
        limits = {"connect": self._timeout_s, "read": self._timeout_s, "write": self._timeout_s}
        async with self._pool.stream(
            "POST", target, headers=headers, content=body, extensions={"timeout": limits}
        ) as response:
            await _read_a_little(response, deadline=deadline)
            return _result_of(response)


def checked_backend(addresses: Addresses) -> CheckedBackend:
    """Make the network backend for a deployment that allows these addresses."""
    is_allowed = is_public if addresses is Addresses.PUBLIC else lambda _: True
    return CheckedBackend(is_allowed=is_allowed, resolver=Resolver())


def _headers(request: WebhookRequest, *, length: int) -> list[tuple[bytes, bytes]]:
    at = datetime.now(UTC)
    signatures = [Webhook(s).sign(request.message_id, at, request.body) for s in request.secrets]
    values = {
        "Content-Type": "application/json",
        "Content-Length": str(length),
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        "webhook-id": request.message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return [(name.encode(), value.encode()) for name, value in values.items()]


def _result_of(response: httpcore.Response) -> SendResult:
    status = response.status
    if 200 <= status < 300:
        return SendResult(status=status)
    error = SendError.REDIRECT if 300 <= status < 400 else SendError.HTTP_STATUS
    return SendResult(status=status, error=error, retry_after_s=_retry_after_s(response))


def _retry_after_s(response: httpcore.Response) -> float | None:
    """Parse `Retry-After`, which has seconds or a date; anything else is None."""
    given = {name.lower(): value for name, value in response.headers}.get(b"retry-after")
    text = given.decode("ascii", "replace").strip() if given else ""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    with suppress(ValueError, TypeError, OverflowError):
        return (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    return None


async def _read_a_little(response: httpcore.Response, *, deadline: float) -> None:
    """Read a short body to its end; one that is long or slow is left, and the connection closed."""
    # Ends before the attempt does: a status that was received is not lost to a slow body.
    until = min(asyncio.get_running_loop().time() + BODY_TIMEOUT_S, deadline - _BEFORE_THE_END_S)
    read = 0
    with suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout_at(until):
            async for chunk in response.aiter_stream():
                read += len(chunk)
                if read > MAX_BODY_BYTES:
                    return


def _connection_error(fault: Exception) -> SendError:
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return SendError.TLS_FAILED
        cause = cause.__cause__ or cause.__context__
    return SendError.CONNECTION_FAILED
