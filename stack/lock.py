"""At most one supervisor per folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunningError(Exception):
    """Another supervisor holds the folder."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock file with our pid in it; AlreadyRunningError when somebody else does."""
    with path.open("a+") as file:
        try:
            # The kernel drops this lock with its holder, so a kill -9 leaves nothing stale.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(_refusal(path)) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _refusal(path: Path) -> str:
    holder = path.read_text().strip() or "unknown"
    return f"{path.parent} is already running under process {holder}; stop that one first"
