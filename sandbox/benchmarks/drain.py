"""How long some lives took, and the CPU that they cost each process."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import psutil


class CpuMeter:
    """Added up over the turns that were measured."""

    def __init__(self) -> None:
        self._lives = 0
        self._seconds = 0.0
        self._cpu_s: defaultdict[str, float] = defaultdict(float)

    @property
    def per_second(self) -> float:
        return self._lives / self._seconds

    def cpu_ms(self, name: str) -> float:
        """Of one life."""
        return self._cpu_s[name] * 1000 / self._lives

    @asynccontextmanager
    async def measuring(self, pids: Mapping[str, int], *, lives: int) -> AsyncIterator[None]:
        start_s, used_s = time.perf_counter(), _used_s(pids)
        yield
        self._seconds += time.perf_counter() - start_s
        for name, seconds in _used_s(pids).items():
            self._cpu_s[name] += seconds - used_s[name]
        self._lives += lives


def _used_s(pids: Mapping[str, int]) -> dict[str, float]:
    return {name: _tree_s(psutil.Process(pid)) for name, pid in pids.items()}


def _tree_s(root: psutil.Process) -> float:
    own = root.cpu_times()
    # Children that have ended are counted by their parent.
    ended_s = own.children_user + own.children_system
    alive = (child.cpu_times() for child in root.children(recursive=True))
    return float(own.user + own.system + ended_s + sum(t.user + t.system for t in alive))
