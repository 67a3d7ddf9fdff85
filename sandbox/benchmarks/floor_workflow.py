"""The floor of a lifecycle: a referral's waits, and activities that do nothing.

They are three, as in release 0.2, by which the targets were set: scoring, crediting and settling.
A referral whose pair no fraud provider is asked about has two since.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from temporalio import activity, workflow

TASK_QUEUE: Final = "floor"
SIGNAL_TIMEOUT: Final = timedelta(days=30)
LIMIT: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    window_s: float
    is_credited: bool = False
    acts_in_place: bool = False
    """True for local activities, as the service's own, instead of tasks."""


@activity.defn
async def nothing() -> None:
    """Do nothing, so that only the call costs."""


@workflow.defn
class FloorWorkflow:
    """A referral that signs up, deposits, is scored and credited, continues as new, and settles."""

    @workflow.init
    def __init__(self, life: Life) -> None:
        self.signed_up = False
        self.deposited = False

    @workflow.run
    async def run(self, life: Life) -> None:
        if not life.is_credited:
            await workflow.wait_condition(lambda: self.signed_up, timeout=SIGNAL_TIMEOUT)
            await workflow.wait_condition(lambda: self.deposited, timeout=SIGNAL_TIMEOUT)
            await self._act(life)
            await self._act(life)
            workflow.continue_as_new(replace(life, is_credited=True))
        await workflow.sleep(life.window_s)
        await self._act(life)

    @workflow.signal
    def sign_up(self) -> None:
        self.signed_up = True

    @workflow.signal
    def make_deposit(self) -> None:
        self.deposited = True

    async def _act(self, life: Life) -> None:
        if life.acts_in_place:
            await workflow.execute_local_activity(nothing, start_to_close_timeout=LIMIT)
        else:
            await workflow.execute_activity(nothing, start_to_close_timeout=LIMIT)
