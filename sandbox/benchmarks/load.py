"""Shapes of load: so many in flight, so many a second, or as many as possible."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Act = Callable[[int], Awaitable[object]]
T = TypeVar("T")


async def bounded(
    numbers: Iterable[int], act: Callable[[int], Awaitable[T]], *, at_once: int
) -> list[T]:
    """Act on every number with `at_once` in flight; the answers are in order."""
    room = asyncio.Semaphore(at_once)

    async def one(number: int) -> T:
        async with room:
            return await act(number)

    return await asyncio.gather(*(one(number) for number in numbers))


async def steady(act: Act, *, per_second: float, seconds: float) -> list[float]:
    """Milliseconds of each act, counted from when it was due.

    The next act never waits for the one before, so a slow moment is felt by all that fall in it.
    """
    start_s = time.perf_counter() + 0.05
    return await asyncio.gather(
        *(
            _on_time(act, number, due_s=start_s + number / per_second)
            for number in range(round(per_second * seconds))
        )
    )


async def burst(act: Act, *, at_once: int, seconds: float) -> float:
    """Acts a second with `at_once` callers, each of which asks again when it was answered."""
    start_s = time.perf_counter()
    counts = await asyncio.gather(
        *(_repeat(act, caller, at_once, until_s=start_s + seconds) for caller in range(at_once))
    )
    return sum(counts) / (time.perf_counter() - start_s)


async def _on_time(act: Act, number: int, *, due_s: float) -> float:
    await asyncio.sleep(due_s - time.perf_counter())
    await act(number)
    return (time.perf_counter() - due_s) * 1000


async def _repeat(act: Act, caller: int, callers: int, *, until_s: float) -> int:
    answered = 0
    while time.perf_counter() < until_s:
        await act(caller + answered * callers)
        answered += 1
    return answered
