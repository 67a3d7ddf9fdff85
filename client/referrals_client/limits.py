"""Every bound of the client, in one place."""

import random
from dataclasses import dataclass
from typing import Final

MOST_DOUBLINGS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds and counts; the defaults suit a busy sportsbook."""

    queue: int = 10_000
    """Events waiting or on their way; the next one is dropped."""
    queue_bytes: int = 32 * 2**20
    """The same, of their bodies: a person decides how long a user agent or a name is."""
    senders: int = 4
    """Events on their way at once, each of another player."""
    attempt_s: float = 5.0
    """One attempt to deliver an event, from connecting to the last byte of the answer."""
    call_s: float = 2.0
    """A call that its caller waits for, such as `resolve`."""
    first_pause_s: float = 0.2
    longest_pause_s: float = 15.0
    longest_retry_after_s: float = 120.0
    """What a Retry-After can ask for at most."""
    drain_s: float = 5.0
    """How long closing waits for what is still queued."""

    def pause_s(self, failures: int, retry_after_s: float | None = None) -> float:
        """How long to wait after so many failures in a row: doubling, half of it drawn by lot."""
        doubled_s = self.first_pause_s * 2.0 ** min(max(failures - 1, 0), MOST_DOUBLINGS)
        pause_s = min(self.longest_pause_s, doubled_s) * random.uniform(0.5, 1)  # noqa: S311
        asked_s = min(self.longest_retry_after_s, retry_after_s or 0)
        return max(pause_s, asked_s * random.uniform(1, 1.1))  # noqa: S311
