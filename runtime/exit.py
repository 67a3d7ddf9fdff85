"""End of a process: graceful stop on SIGTERM or SIGINT, and an explicit exit."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn


def call_on_stop(stop: Callable[[int], object]) -> None:
    """Call `stop` with the number of each SIGTERM or SIGINT; needs a running event loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)


def stop_event() -> asyncio.Event:
    """Return an event that SIGTERM or SIGINT sets."""
    stopping = asyncio.Event()
    call_on_stop(lambda _: stopping.set())
    return stopping


def exit_process(code: int) -> NoReturn:
    """Flush the standard streams and end the process."""
    sys.stdout.flush()
    sys.stderr.flush()
    # temporalio 1.35 can abort the interpreter while it shuts down, after a success
    # (sdk-python issue 300); an explicit exit skips that shutdown.
    os._exit(code)
