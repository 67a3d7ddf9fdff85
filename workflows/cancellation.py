"""Requests to cancel a workflow: they make it look, and end nothing.

Whoever reaches Temporal may ask. A run that ended at once would take with it what was delivered to
it a moment before and nobody has looked at. `temporal workflow terminate` ends a run.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

CANCEL_PATCH: Final = "a request to cancel makes the run look, and does not end it"
Ending = TypeVar("Ending")


async def play_on(play: Callable[[], Awaitable[Ending]], *, look: Callable[[], None]) -> Ending:
    """Play to the end, and go on from where it stands after a request to cancel.

    Histories of releases that ended by one still do.
    """
    while True:
        try:
            return await play()
        except (asyncio.CancelledError, FailureError) as fault:
            # A run that leaves the worker's memory is cancelled, too; then `patched` raises.
            if not (is_cancelled_exception(fault) and workflow.patched(CANCEL_PATCH)):
                raise
            look()
