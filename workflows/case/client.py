"""Client side of the workflows of cases: their ids, and a start that wakes the one that runs."""

from datetime import timedelta
from uuid import UUID

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from domain.fraud.cases import CaseStart, CaseStatus
from workflows.case.workflow import CaseWorkflow


def workflow_id(case_id: UUID) -> str:
    return f"case:{case_id}"


async def wake_case(
    client: Client, case: CaseStart, *, task_queue: str, rpc_timeout: timedelta
) -> None:
    """Let a case's workflow look at the case; start it if the case is open.

    Raises RPCError when Temporal did not take it.
    """
    if case.standing.status is CaseStatus.OPEN:
        await client.start_workflow(
            CaseWorkflow.run,
            case,
            id=workflow_id(case.case_id),
            task_queue=task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal="look",
            rpc_timeout=rpc_timeout,
            static_summary=f"{case.kind} case of {case.subject_kind} {case.subject}",
        )
        return
    handle = client.get_workflow_handle(workflow_id(case.case_id))
    try:
        await handle.signal(CaseWorkflow.look, rpc_timeout=rpc_timeout)
    except RPCError as fault:
        if fault.status is not RPCStatusCode.NOT_FOUND:
            raise
