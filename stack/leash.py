"""Children end with their supervisor, even when it is killed with -9."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def tied(ending: signal.Signals) -> Callable[[], None]:
    """For Popen's preexec_fn: the kernel sends `ending` to the child when our process dies.

    Only Linux can; elsewhere a killed supervisor leaves its children to the next `up`.
    """
    parent = os.getpid()

    def tie() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(ending))
        # The parent may have died between the fork and the call above.
        if os.getppid() != parent:
            os._exit(1)

    return tie
