"""Stacks to be harmed: apart from all others; kill -9 of their children, and their successors."""

import json
import os
import signal
from pathlib import Path

from sandbox.sportsbook.patience import until
from stack import ports
from stack.state_directory import read_pids

RESTART_S = 40.0


def use_free_ports(directory: Path) -> Path:
    """The folder of a stack on ports that nobody prefers: other stacks may start at this moment."""
    chosen = {name: ports.find_free() for name in ports.PREFERRED}
    (directory / "ports.json").write_text(json.dumps(chosen))
    return directory


def kill_child(directory: Path, name: str) -> int:
    """Kill a child where it stands; answers the pid that it had."""
    pid = read_pids(directory)[name]
    os.kill(pid, signal.SIGKILL)
    return pid


async def wait_for_restart(directory: Path, name: str, pid: int) -> None:
    """Wait until another process does the work of the one that was killed."""

    async def ask() -> int:
        return read_pids(directory)[name]

    await until(ask, lambda seen: seen != pid, what=f"a new {name} after {pid}", within_s=RESTART_S)
