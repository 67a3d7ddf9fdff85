"""kill -9 of the stack's children, and waiting for their successors."""

import os
import signal
from pathlib import Path

from sandbox.patience import until
from stack.connection import read_pids

RESTART_S = 40.0


def kill(directory: Path, name: str) -> int:
    """Kill a child where it stands; answers the pid that it had."""
    pid = read_pids(directory)[name]
    os.kill(pid, signal.SIGKILL)
    return pid


async def replaced(directory: Path, name: str, pid: int) -> None:
    """Wait until another process does the work of the one that was killed."""

    async def ask() -> int:
        return read_pids(directory)[name]

    await until(ask, lambda seen: seen != pid, what=f"a new {name} after {pid}", within_s=RESTART_S)
