"""Shapes of load: bounded concurrency, a constant rate (open loop), full speed (closed loop)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

Request = Callable[[int], Awaitable[object]]
"""Sends the request of this number."""
LEAD_TIME_S: Final = 0.05
"""Time to create all tasks before the first request of a constant rate is due."""
T = TypeVar("T")


async def run_concurrently(
    numbers: Iterable[int], request: Callable[[int], Awaitable[T]], *, concurrency: int
) -> list[T]:
    """Send the request of every number, `concurrency` at a time; return the answers in order."""
    slots = asyncio.Semaphore(concurrency)

    async def send(number: int) -> T:
        async with slots:
            return await request(number)

    return await asyncio.gather(*(send(number) for number in numbers))


async def run_at_rate(request: Request, *, per_second: float, seconds: float) -> list[float]:
    """Return each request's latency in milliseconds, counted from when it was due.

    No request waits for the previous one, so a stall shows in every request that falls into it.
    """
    start_s = time.perf_counter() + LEAD_TIME_S
    return await asyncio.gather(
        *(
            _send_on_time(request, number, due_s=start_s + number / per_second)
            for number in range(round(per_second * seconds))
        )
    )


async def run_closed_loop(request: Request, *, concurrency: int, seconds: float) -> float:
    """Return the requests per second of `concurrency` callers that never pause."""
    start_s = time.perf_counter()
    counts = await asyncio.gather(
        *(
            _repeat(request, first=caller, step=concurrency, until_s=start_s + seconds)
            for caller in range(concurrency)
        )
    )
    return sum(counts) / (time.perf_counter() - start_s)


async def _send_on_time(request: Request, number: int, *, due_s: float) -> float:
    await asyncio.sleep(due_s - time.perf_counter())
    await request(number)
    return (time.perf_counter() - due_s) * 1000


async def _repeat(request: Request, *, first: int, step: int, until_s: float) -> int:
    answered = 0
    while time.perf_counter() < until_s:
        await request(first + answered * step)
        answered += 1
    return answered
