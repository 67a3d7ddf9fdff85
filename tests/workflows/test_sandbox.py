"""Work of each run of a workflow: it loads no module but its own, and builds no schema."""

import re
import warnings
from dataclasses import replace

from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

from domain.lifecycle.referral import Stage
from tests.workflows.replay import committed_histories, replayer
from workflows.payloads import DATA_CONVERTER
from workflows.runner import WORKFLOW_RUNNER

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


def test_the_converters_of_all_runs_share_their_schemas() -> None:
    first, second = (DATA_CONVERTER.payload_converter_class() for _ in range(2))
    (payload,) = first.to_payloads([Stage.SIGNED_UP])
    assert first.from_payloads([payload], [Stage]) == [Stage.SIGNED_UP]

    assert _json_of(first) is _json_of(second)


def test_payloads_are_those_of_the_sdks_converter() -> None:
    values = [Stage.SIGNED_UP, None, b"bytes", {"amount": [1, "2"]}]
    theirs = pydantic_data_converter.payload_converter.to_payloads(values)

    assert DATA_CONVERTER.payload_converter.to_payloads(values) == theirs


def _json_of(converter: object) -> object:
    return vars(converter)["converters"][b"json/plain"]
