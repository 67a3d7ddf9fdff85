"""One attempt at a delivery: what is sent, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class SendError(StrEnum):
    """The reason why an attempt had no answer, or one that is not a success."""

    HTTP_STATUS = "http_status"
    REDIRECT = "redirect"
    TIMEOUT = "timeout"
    CONNECTION_FAILED = "connection_failed"
    TLS_FAILED = "tls_failed"
    DNS_FAILED = "dns_failed"
    ADDRESS_REFUSED = "address_refused"
    EVENT_GONE = "event_gone"
    SIGNING_KEY_CHANGED = "signing_key_changed"
    INTERNAL = "internal"


OUR_FAULTS: Final = frozenset(
    {SendError.EVENT_GONE, SendError.SIGNING_KEY_CHANGED, SendError.INTERNAL}
)
"""Errors that say nothing about the endpoint: they never disable it."""
GONE: Final = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """One event for one endpoint, to be signed with each of the secrets."""

    url: str = field(repr=False)
    message_id: str
    body: str = field(repr=False)
    secrets: Sequence[str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """The result of one attempt: the HTTP status, if there was an answer, and the error."""

    status: int | None = None
    error: SendError | None = None
    retry_after_s: float | None = None

    @property
    def is_delivered(self) -> bool:
        return self.error is None

    @property
    def is_gone(self) -> bool:
        return self.status == GONE

    @property
    def is_final(self) -> bool:
        """True where a repeat would change nothing."""
        return self.is_gone or self.error is SendError.EVENT_GONE

    @property
    def is_our_fault(self) -> bool:
        return self.error in OUR_FAULTS
