"""Every bound of the client."""

import random
from dataclasses import dataclass
from typing import Final

MAX_DOUBLINGS: Final = 30
"""Keeps the exponent of the backoff from overflowing a float."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Timeouts in seconds (`_s`) and counts; the defaults suit a busy sportsbook."""

    queue: int = 10_000
    """Events that are queued or in flight; further ones are dropped. Players whose first event is
    ahead of the service's clock hold at most half of them, and half of the bytes."""
    queue_bytes: int = 32 * 2**20
    """Bytes of their bodies, because players and browsers decide how long a text is."""
    senders: int = 4
    """Events in flight at once, each of another player."""
    attempt_s: float = 5.0
    """Timeout of one delivery attempt, from connecting to the last byte of the answer."""
    call_s: float = 2.0
    """Timeout of a call that waits for its answer, such as `resolve`."""
    first_pause_s: float = 0.2
    """Backoff after the first failure; it doubles with each further one."""
    longest_pause_s: float = 15.0
    """Bounds the backoff."""
    longest_retry_after_s: float = 120.0
    """Bounds the delay that a Retry-After may demand."""
    drain_s: float = 5.0
    """Bounds how long `aclose` keeps delivering the queue."""

    def pause_s(self, failures: int, retry_after_s: float | None = None) -> float:
        """Return the backoff after consecutive failures: exponential, with jitter."""
        doubled_s = self.first_pause_s * 2.0 ** min(max(failures - 1, 0), MAX_DOUBLINGS)
        pause_s = min(self.longest_pause_s, doubled_s) * random.uniform(0.5, 1)  # noqa: S311
        asked_s = min(self.longest_retry_after_s, retry_after_s or 0)
        return max(pause_s, asked_s * random.uniform(1, 1.1))  # noqa: S311
