"""A supervisor: starts children in stages, restarts those that die, stops in reverse order."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from stack.child import ChildProcess, ChildSpec, StartError

_INITIAL_BACKOFF_S: Final = 0.1
_MAX_BACKOFF_S: Final = 5.0
_HEALTHY_AFTER_S: Final = 10.0
"""Uptime after which a child's next restart begins with the initial backoff again."""


class Supervisor:
    """`on_restart` is called with a child's name when it has become ready under a new pid.

    Without `yields`, all children keep full priority, whatever the niceness of their specs.
    """

    def __init__(
        self, *, logs: Path, on_restart: Callable[[str], object], yields: bool = True
    ) -> None:
        self._logs = logs
        self._on_restart = on_restart
        self._yields = yields
        self._stages: list[list[_SupervisedChild]] = []

    @property
    def pids(self) -> dict[str, int]:
        return {child.name: child.pid for stage in self._stages for child in stage}

    async def start(self, *specs: ChildSpec) -> None:
        """Start one stage and return when all of it is ready; StartError if one is not."""
        if not self._yields:
            specs = tuple(replace(spec, niceness=0) for spec in specs)
        stage = [
            _SupervisedChild(spec, logs=self._logs, on_restart=self._on_restart) for spec in specs
        ]
        self._stages.append(stage)
        starts = (child.first_start() for child in stage)
        for fault in await asyncio.gather(*starts, return_exceptions=True):
            if fault is not None:
                raise fault

    async def stop(self) -> None:
        while self._stages:
            await asyncio.gather(*(child.stop() for child in self._stages.pop()))


class _SupervisedChild:
    """A child that is restarted, with backoff, whenever it ends."""

    def __init__(self, spec: ChildSpec, *, logs: Path, on_restart: Callable[[str], object]) -> None:
        self.name = spec.name
        self._spec = spec
        self._logs = logs
        self._on_restart = on_restart
        self._process = ChildProcess(spec, logs=logs)
        self.pid = self._process.pid
        self._watch: asyncio.Task[None] | None = None

    async def first_start(self) -> None:
        await self._process.wait_until_ready()
        self._watch = asyncio.create_task(self._restart_for_ever())

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        await self._process.stop()

    async def _restart_for_ever(self) -> None:
        backoff_s = _INITIAL_BACKOFF_S
        while True:
            started = time.monotonic()
            await self._process.wait_until_exited()
            if time.monotonic() - started > _HEALTHY_AFTER_S:
                backoff_s = _INITIAL_BACKOFF_S
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, _MAX_BACKOFF_S)
            await self._restart()

    async def _restart(self) -> None:
        self._process = ChildProcess(self._spec, logs=self._logs)
        try:
            await self._process.wait_until_ready()
        except StartError:
            self._process.kill()
            return
        self.pid = self._process.pid
        self._on_restart(self.name)
