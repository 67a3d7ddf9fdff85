"""Starts children in stages, starts again whoever dies, stops all in reverse order."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from stack.child import ChildSpec, Started, StartError

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_HEALTHY_AFTER_S: Final = 10.0


class Supervisor:
    """`changed` is called whenever a child has become ready under a new pid."""

    def __init__(self, *, logs: Path, changed: Callable[[], object]) -> None:
        self._logs = logs
        self._changed = changed
        self._stages: list[list[_SupervisedChild]] = []

    @property
    def pids(self) -> dict[str, int]:
        return {keeper.name: keeper.pid for stage in self._stages for keeper in stage}

    async def start(self, *children: ChildSpec) -> None:
        """Start one stage and return when all of it is ready; StartError if one is not."""
        stage = [
            _SupervisedChild(child, logs=self._logs, changed=self._changed) for child in children
        ]
        self._stages.append(stage)
        starts = (keeper.first_start() for keeper in stage)
        for fault in await asyncio.gather(*starts, return_exceptions=True):
            if fault is not None:
                raise fault

    async def stop(self) -> None:
        while self._stages:
            await asyncio.gather(*(keeper.stop() for keeper in self._stages.pop()))


class _SupervisedChild:
    """Keeps one child running."""

    def __init__(self, child: ChildSpec, *, logs: Path, changed: Callable[[], object]) -> None:
        self.name = child.name
        self._child = child
        self._logs = logs
        self._changed = changed
        self._process = Started(child, logs=logs)
        self.pid = self._process.pid
        self._watch: asyncio.Task[None] | None = None

    async def first_start(self) -> None:
        await self._process.ready()
        self._watch = asyncio.create_task(self._start_again_for_ever())

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        await self._process.stop()

    async def _start_again_for_ever(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            started = time.monotonic()
            await self._process.ended()
            if time.monotonic() - started > _HEALTHY_AFTER_S:
                pause_s = _FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            await self._start_again()

    async def _start_again(self) -> None:
        self._process = Started(self._child, logs=self._logs)
        try:
            await self._process.ready()
        except StartError:
            self._process.kill()
            return
        self.pid = self._process.pid
        self._changed()
