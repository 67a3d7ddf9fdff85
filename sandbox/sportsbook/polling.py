"""Polling until the service has reached a state, with a time limit and a clear failure."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

WAIT_TIMEOUT_S: Final = 60.0
_INITIAL_INTERVAL_S: Final = 0.05
_MAX_INTERVAL_S: Final = 0.5
_BACKOFF_FACTOR: Final = 1.3

_Seen = TypeVar("_Seen")


class WaitTimeoutError(AssertionError):
    """The awaited state was not reached in time; the message holds the last one seen."""


async def wait_until(
    ask: Callable[[], Awaitable[_Seen]],
    holds: Callable[[_Seen], bool],
    *,
    what: str,
    within_s: float = WAIT_TIMEOUT_S,
    every_s: float | None = None,
) -> _Seen:
    """Poll with backoff, or every `every_s` seconds, and return the first answer that holds."""
    deadline_s, interval_s = time.monotonic() + within_s, every_s or _INITIAL_INTERVAL_S
    while not holds(seen := await ask()):
        if time.monotonic() > deadline_s:
            raise WaitTimeoutError(f"not within {within_s:g} s: {what}; seen: {seen!r}")
        await asyncio.sleep(interval_s)
        if every_s is None:
            interval_s = min(_MAX_INTERVAL_S, interval_s * _BACKOFF_FACTOR)
    return seen
