"""Children end with their supervisor, even when it is killed with -9, and some step back."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_AUTOGROUP: Final = Path("/proc/self/autogroup")
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def tied(ending: signal.Signals, *, niceness: int = 0) -> Callable[[], None]:
    """For Popen's preexec_fn: the kernel sends `ending` to the child when our process dies.

    Only Linux can; elsewhere a killed supervisor leaves its children to the next `up`. With
    `niceness` others run first where the machine has not enough for all.
    """
    parent = os.getpid()

    def tie() -> None:
        _step_back(niceness)
        if _LIBC is None:
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(ending))
        # The parent may have died between the fork and the call above.
        if os.getppid() != parent:
            os._exit(1)

    return tie


def _step_back(niceness: int) -> None:
    if not niceness:
        return
    os.nice(niceness)
    # A session of its own is weighed as a group, where the kernel groups sessions.
    with suppress(OSError):
        _AUTOGROUP.write_text(str(niceness))
