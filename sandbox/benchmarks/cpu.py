"""CPU seconds that the processes of a stack have used."""

from collections.abc import Mapping

import psutil


def seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """By name, each with the processes that it has started."""
    return {name: _tree_s(psutil.Process(pid)) for name, pid in pids.items()}


def difference_ms(
    before: Mapping[str, float], after: Mapping[str, float], *, lives: int
) -> dict[str, float]:
    """Milliseconds a life."""
    return {name: (after[name] - before[name]) * 1000 / lives for name in after}


def _tree_s(root: psutil.Process) -> float:
    own = root.cpu_times()
    # Children that have ended are counted by their parent.
    ended_s = own.children_user + own.children_system
    alive = (child.cpu_times() for child in root.children(recursive=True))
    return float(own.user + own.system + ended_s + sum(t.user + t.system for t in alive))
