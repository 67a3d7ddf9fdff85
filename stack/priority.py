"""The scheduling priority of a running process and of the session that it leads."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_TRIES: Final = 10
_EVERY_S: Final = 0.15
"""Linux lets unprivileged users change groups' priorities once in 0.1 s, all of them together."""


async def lower_priority(pid: int, niceness: int) -> None:
    """Lower the priority of a process's threads and of its group, as far as the system allows."""
    for thread in _threads(pid):
        # One that has ended meanwhile keeps none of the others at full priority.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, niceness)
    # Where the kernel groups sessions, priority between sessions is that of the group.
    group = Path(f"/proc/{pid}/autogroup")
    for _ in range(_TRIES):
        try:
            group.write_text(str(niceness))
        except BlockingIOError:
            await asyncio.sleep(_EVERY_S)
        except OSError:
            return
        else:
            return


def _threads(pid: int) -> list[int]:
    """Return the process's threads, which Linux schedules one by one; elsewhere the process."""
    try:
        return [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return [pid]
