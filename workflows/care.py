"""The workflow of scheduled care, and the schedules that start it once a day.

The verifier process runs it, on a task queue of its own: what reads whole tables shares neither
connections nor an event loop with the acts of referrals.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from temporalio import workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)

from activities.care.nightly import CareActivities, CareFindings
from workflows.options import care_options

DAY: Final = timedelta(days=1)


class CareKind(StrEnum):
    """Kinds of care, by the id of their schedule."""

    VERIFY = "verify-everything"
    CHAIN = "check-chain"
    RETENTION = "retention"


OFFSETS: Final[Mapping[CareKind, timedelta]] = {
    CareKind.RETENTION: timedelta(hours=2, minutes=17),
    CareKind.VERIFY: timedelta(hours=3, minutes=17),
    CareKind.CHAIN: timedelta(hours=4, minutes=17),
}
"""Times of the day, in UTC: what is let go of is verified in the same night."""


@dataclass(frozen=True, slots=True)
class CareRequest:
    """A request for one kind of care."""

    kind: CareKind


@workflow.defn
class CareWorkflow:
    """One kind of care, done once."""

    @workflow.run
    async def run(self, request: CareRequest) -> CareFindings:
        act = {
            CareKind.VERIFY: CareActivities.verify_everything,
            CareKind.CHAIN: CareActivities.check_hash_chain,
            CareKind.RETENTION: CareActivities.let_go_of_what_is_old,
        }[request.kind]
        return await workflow.execute_activity_method(act, **care_options(request.kind))


def care_queue(task_queue: str) -> str:
    """Return the task queue of the verifier process."""
    return f"{task_queue}-care"


async def ensure_schedules(client: Client, *, task_queue: str) -> None:
    """Create each schedule and run it at once, unless it exists; changed ones stay as they are."""
    for kind, offset in OFFSETS.items():
        schedule = Schedule(
            action=ScheduleActionStartWorkflow(
                CareWorkflow.run, CareRequest(kind), id=kind, task_queue=care_queue(task_queue)
            ),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=DAY, offset=offset)]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=DAY),
        )
        try:
            await client.create_schedule(kind, schedule, trigger_immediately=True)
        except ScheduleAlreadyRunningError:
            continue
