"""The workflow that compares the last days with the wallet, and the schedule that starts it."""

from datetime import timedelta
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

from activities.care.reconciliation import (
    ReconcileRequest,
    ReconcileResult,
    ReconciliationActivities,
)
from workflows.options import reconciliation_options

SCHEDULE_ID: Final = "reconcile-wallet"
INTERVAL: Final = timedelta(days=1)
COMPARED_DAYS: Final = 3
"""Days that each run compares: more than one, so that a day without a run is caught up."""


@workflow.defn
class ReconcileWorkflow:
    """One comparison of rewards, ledger and wallet."""

    @workflow.run
    async def run(self, request: ReconcileRequest) -> ReconcileResult:
        return await workflow.execute_activity_method(
            ReconciliationActivities.reconcile_wallet,
            request,
            **reconciliation_options("compare with the wallet"),
        )


async def ensure_schedule(client: Client, *, task_queue: str) -> None:
    """Create the daily schedule, unless it exists; one that people have changed stays so."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            ReconcileWorkflow.run,
            ReconcileRequest(days=COMPARED_DAYS),
            id=SCHEDULE_ID,
            task_queue=task_queue,
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=INTERVAL)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )
    try:
        await client.create_schedule(SCHEDULE_ID, schedule)
    except ScheduleAlreadyRunningError:
        return
