"""Modules that a workflow loads afresh in its sandbox: none but its own."""

import re
import warnings
from dataclasses import replace

from temporalio.client import WorkflowHistory
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

from tests.workflows.replay import committed_histories, replayer
from worker import WORKFLOW_RUNNER

NOTICED = (
    SandboxImportNotificationPolicy.WARN_ON_UNINTENTIONAL_PASSTHROUGH
    | SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
)


async def reloaded_modules(restrictions: SandboxRestrictions) -> set[str]:
    """Return the modules that a first task loads beside that of its workflow."""
    loud = SandboxedWorkflowRunner(restrictions.with_import_notification_policy(NOTICED))
    path = committed_histories()[0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = WorkflowHistory.from_json(path.stem, path.read_text())
        await replayer(runner=loud).replay_workflow(history)
    names = (re.match(r"Module (\S+) was", str(warning.message)) for warning in caught)
    return {name[1] for name in names if name}


async def test_a_workflow_loads_no_module_afresh_but_its_own() -> None:
    assert await reloaded_modules(WORKFLOW_RUNNER.restrictions) == set()


async def test_a_module_that_does_not_pass_through_is_noticed() -> None:
    restrictions = WORKFLOW_RUNNER.restrictions
    fewer = restrictions.passthrough_modules - {"workflows.referral.messages"}

    loaded = await reloaded_modules(replace(restrictions, passthrough_modules=fewer))

    assert "workflows.referral.messages" in loaded
