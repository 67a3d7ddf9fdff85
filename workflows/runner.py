"""The sandbox that workflows run in, and how long a turn of theirs may last."""

from typing import Final

from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

WORKFLOW_RUNNER: Final = SandboxedWorkflowRunner(
    # The sandbox loads every other module afresh for each workflow, which takes 140 ms for all of
    # ours. A module listed here must hold no workflow code and no state that a replay could see
    # change; those of workflows/ hold messages, constants, and what a run keeps of itself.
    SandboxRestrictions.default.with_passthrough_modules(
        "domain",
        "activities",
        "workflows.builds",
        "workflows.cancellation",
        "workflows.case.visibility",
        "workflows.options",
        "workflows.payloads",
        "workflows.referral.messages",
        "workflows.referral.patches",
        "workflows.referral.signal_buffer",
        "workflows.referral.visibility",
    )
)
TURN_LIMIT_S: Final = 8
"""Below the ten seconds after which Temporal gives a workflow's task to another worker."""


def allow_long_turns(worker: Worker) -> None:
    """Let a workflow's turn take TURN_LIMIT_S before it is taken for a deadlock.

    The SDK (temporalio 1.35) allows two seconds and has no option for it. A flood of signals is
    handed over in one turn: ten thousand of them take longer on a busy machine, and the task would
    fail in the same way each time that it is tried again.
    """
    workflows = worker._workflow_worker  # noqa: SLF001 - there is no other way
    if workflows is not None:
        workflows._deadlock_timeout_seconds = TURN_LIMIT_S  # noqa: SLF001
