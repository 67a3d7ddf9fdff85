"""Readiness of a process: the state of each thing that it needs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from db.faults import describe

OK: Final = "ok"
MAX_AGE_S: Final = 1.0
"""Time for which an answer is given again, so that many who ask cost as much as one."""
ASK_TIMEOUT_S: Final = 2.0
"""Bounds each question: longer than a probe of a server, which has a bound of its own."""

log = structlog.get_logger()

Ask = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class ReadinessReport:
    is_ready: bool
    dependencies: Mapping[str, str]
    """State of each dependency, `ok` or what is wrong with it."""


class Readiness:
    """Questions to everything that a process needs, asked at the same time.

    What is `reported` is told and does not count.
    """

    def __init__(
        self,
        *,
        required: Mapping[str, Ask],
        reported: Mapping[str, Ask],
        max_age_s: float = MAX_AGE_S,
    ) -> None:
        self._required = required
        self._reported = reported
        self._max_age_s = max_age_s
        self._asking = asyncio.Lock()
        self._unknown: set[str] = set()
        """Dependencies whose question failed the last time, each logged once until it succeeds."""
        self._report: ReadinessReport | None = None
        self._reported_at_s = 0.0

    async def ask(self) -> ReadinessReport:
        """Return the present state, or one that is at most `max_age_s` old."""
        async with self._asking:
            if self._report is None or time.monotonic() - self._reported_at_s >= self._max_age_s:
                self._report = await self._ask_all()
                self._reported_at_s = time.monotonic()
            return self._report

    async def _ask_all(self) -> ReadinessReport:
        asks = {**self._required, **self._reported}
        states = await asyncio.gather(*(self._ask(name, ask) for name, ask in asks.items()))
        dependencies = dict(zip(asks, states, strict=True))
        is_ready = all(dependencies[name] == OK for name in self._required)
        return ReadinessReport(is_ready, dependencies)

    async def _ask(self, name: str, ask: Ask) -> str:
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                state = await ask()
        except Exception as fault:  # noqa: BLE001 - the edge of the process: an unknown state is not ready
            if name not in self._unknown:
                log.warning("dependency_unknown", dependency=name, error=describe(fault))
            self._unknown.add(name)
            return "unknown"
        self._unknown.discard(name)
        return state
