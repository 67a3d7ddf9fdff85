"""Stacks on ports of their own, whose children are killed with -9 and restarted."""

import json
import os
import signal
from pathlib import Path

from sandbox.sportsbook.polling import wait_until
from stack import ports
from stack.state_directory import CONNECTION_FILE

RESTART_S = 90.0


def use_free_ports(directory: Path) -> Path:
    """Choose free ports for a stack, which others may run beside, and return its folder."""
    chosen = {name: ports.find_free() for name in ports.PREFERRED}
    (directory / "ports.json").write_text(json.dumps(chosen))
    return directory


def read_pids(directory: Path) -> dict[str, int]:
    """Return the current pids by name; a dead child is listed until its successor is ready."""
    pids: dict[str, int] = json.loads((directory / CONNECTION_FILE).read_text())["pids"]
    return pids


def kill_child(directory: Path, name: str) -> int:
    """Kill a child with -9 and return the pid that it had."""
    pid = read_pids(directory)[name]
    os.kill(pid, signal.SIGKILL)
    return pid


async def wait_for_restart(
    directory: Path, name: str, pid: int, *, within_s: float = RESTART_S
) -> None:
    """Wait until another process has replaced the killed one."""

    async def ask() -> int:
        return read_pids(directory)[name]

    await wait_until(
        ask, lambda seen: seen != pid, what=f"a new {name} after {pid}", within_s=within_s
    )
