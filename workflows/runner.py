"""The sandbox that workflows run in, and how long a turn of theirs may last."""

from typing import Final

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import (
    DataConverter,
    StorageDriverStoreContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.worker import Worker, WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info

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


class RunnerWithoutContexts(SandboxedWorkflowRunner):
    """The sandbox, for a data converter that is the same in every context.

    The SDK (temporalio 1.35) enters the sandbox several times for each payload, to ask for the
    command that it belongs to: that was a tenth of the worker's CPU.
    """

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _InstanceWithoutContexts(super().create_instance(det), det.info)


class _InstanceWithoutContexts(WorkflowInstance):
    """A run in the sandbox, whose payloads are all of the run's own context."""

    def __init__(self, instance: WorkflowInstance, info: Info) -> None:
        self._instance = instance
        self._context = WorkflowSerializationContext(
            namespace=info.namespace, workflow_id=info.workflow_id
        )
        self._store_context = StorageDriverStoreContext()

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._instance.activate(act)

    def get_serialization_context(self, command_info: object) -> WorkflowSerializationContext:
        return self._context

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        return self._store_context

    def get_info(self) -> Info:
        return self._instance.get_info()

    def get_thread_id(self) -> int | None:
        return self._instance.get_thread_id()


def runner_for(converter: DataConverter) -> SandboxedWorkflowRunner:
    """Return the sandbox for workflows whose payloads a converter writes.

    A deployment's own codec, or its storage, may want to know whose payload it is given.
    """
    parts = (converter.payload_converter, converter.failure_converter, converter.payload_codec)
    if any(map(_differs_by_context, parts)) or converter.external_storage is not None:
        return WORKFLOW_RUNNER
    return RunnerWithoutContexts(WORKFLOW_RUNNER.restrictions)


def _differs_by_context(part: object) -> bool:
    anywhere = WorkflowSerializationContext(namespace="", workflow_id="")
    # A composite converter takes a context, and stays itself where none of its parts does.
    return isinstance(part, WithSerializationContext) and part.with_context(anywhere) is not part


def allow_long_turns(worker: Worker) -> None:
    """Let a workflow's turn take TURN_LIMIT_S before it is taken for a deadlock.

    The SDK (temporalio 1.35) allows two seconds and has no option for it. A flood of signals is
    handed over in one turn: ten thousand of them take longer on a busy machine, and the task would
    fail in the same way each time that it is tried again.
    """
    workflows = worker._workflow_worker  # noqa: SLF001 - there is no other way
    if workflows is not None:
        workflows._deadlock_timeout_seconds = TURN_LIMIT_S  # noqa: SLF001
