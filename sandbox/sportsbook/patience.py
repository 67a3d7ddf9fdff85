"""Waiting for what the service does in its own time, with a bound and a clear complaint."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

PATIENCE_S: Final = 20.0
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 0.5

_Seen = TypeVar("_Seen")


class WaitTimeoutError(AssertionError):
    """What was waited for was not seen in time; says what was seen instead."""


async def until(
    ask: Callable[[], Awaitable[_Seen]],
    holds: Callable[[_Seen], bool],
    *,
    what: str,
    within_s: float = PATIENCE_S,
) -> _Seen:
    """Ask again and again, and return the first answer that holds."""
    deadline, pause_s = time.monotonic() + within_s, _FIRST_PAUSE_S
    while not holds(seen := await ask()):
        if time.monotonic() > deadline:
            raise WaitTimeoutError(f"not within {within_s:g} s: {what}; seen: {seen!r}")
        await asyncio.sleep(pause_s)
        pause_s = min(_LONGEST_PAUSE_S, pause_s * 1.3)
    return seen
