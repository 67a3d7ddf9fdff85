"""CPU and time that processes spend on a number of equal pieces of work."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import psutil


class CpuMeter:
    """Wall-clock and CPU time of pieces of work, added up over the measured turns."""

    def __init__(self) -> None:
        self._count = 0
        self._seconds = 0.0
        self._cpu_s: defaultdict[str, float] = defaultdict(float)

    @property
    def per_second(self) -> float:
        return self._count / self._seconds

    def cpu_ms(self, process: str) -> float:
        """Return the milliseconds of CPU that the process has spent on one piece."""
        return self._cpu_s[process] * 1000 / self._count

    @asynccontextmanager
    async def measure(self, pids: Mapping[str, int], *, count: int) -> AsyncIterator[None]:
        start_s, used_s = time.perf_counter(), _cpu_s(pids)
        yield
        self._seconds += time.perf_counter() - start_s
        for process, seconds in _cpu_s(pids).items():
            self._cpu_s[process] += seconds - used_s[process]
        self._count += count


def _cpu_s(pids: Mapping[str, int]) -> dict[str, float]:
    return {process: _tree_cpu_s(psutil.Process(pid)) for process, pid in pids.items()}


def _tree_cpu_s(root: psutil.Process) -> float:
    own = root.cpu_times()
    # Children that have ended are counted by their parent.
    ended_s = own.children_user + own.children_system
    alive = (child.cpu_times() for child in root.children(recursive=True))
    return float(own.user + own.system + ended_s + sum(t.user + t.system for t in alive))
