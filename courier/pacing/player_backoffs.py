"""Backoffs of players whose routing failed, bounded by those that failed of late."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from courier.work_loop import MAX_BACKOFF_S, backoff_s

REMEMBERED_S: Final = 4 * MAX_BACKOFF_S
"""Time after its next attempt was due for which a failure is remembered. A player who is not tried
again in that time was routed by another courier, so that nothing would ever clear the entry."""


@dataclass(frozen=True, slots=True)
class _Backoff:
    failures: int
    retry_at_s: float


class PlayerBackoffs:
    def __init__(self, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._backoffs: dict[str, _Backoff] = {}

    def __len__(self) -> int:
        return len(self._backoffs)

    def backing_off(self) -> tuple[str, ...]:
        """Return the players who are not to be tried now, and forget those of long ago."""
        now_s = self._clock_s()
        self._backoffs = {
            player_id: backoff
            for player_id, backoff in self._backoffs.items()
            if now_s <= backoff.retry_at_s + REMEMBERED_S
        }
        return tuple(p for p, backoff in self._backoffs.items() if backoff.retry_at_s > now_s)

    def succeed(self, player_id: str) -> None:
        self._backoffs.pop(player_id, None)

    def fail(self, player_id: str) -> int:
        """Delay the player's next attempt, and return how many have failed in a row."""
        before = self._backoffs.get(player_id)
        failures = before.failures + 1 if before else 1
        self._backoffs[player_id] = _Backoff(failures, self._clock_s() + backoff_s(failures))
        return failures
