"""Modules that a workflow loads afresh in its sandbox: few, and none of the database."""

import re
import sys
import warnings

from temporalio.client import WorkflowHistory
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import SandboxImportNotificationPolicy

from tests.workflows.replay import committed_histories, replayer
from worker import WORKFLOW_RUNNER

LOUD = SandboxedWorkflowRunner(
    WORKFLOW_RUNNER.restrictions.with_import_notification_policy(
        SandboxImportNotificationPolicy.WARN_ON_UNINTENTIONAL_PASSTHROUGH
        | SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
    )
)
MOST_MODULES = 8


async def reloaded_modules() -> set[str]:
    path = committed_histories()[0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = WorkflowHistory.from_json(path.stem, path.read_text())
        await replayer(runner=LOUD).replay_workflow(history)
    names = (re.match(r"Module (\S+) was", str(warning.message)) for warning in caught)
    return {name[1] for name in names if name}


async def test_only_modules_of_workflows_are_loaded_afresh() -> None:
    others = {name.partition(".")[0] for name in await reloaded_modules()} - sys.stdlib_module_names

    assert others <= {"workflows"}


async def test_a_first_task_loads_little() -> None:
    ours = [name for name in await reloaded_modules() if name.startswith("workflows")]

    assert 0 < len(ours) <= MOST_MODULES
