"""Work of each run of a workflow: it loads no module but its own, and builds no schema."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

from domain.lifecycle.referral import Stage
from tests.workflows.replay import committed_histories, replayer
from workflows.payloads import DATA_CONVERTER
from workflows.runner import WORKFLOW_RUNNER, RunnerWithoutContexts, runner_for

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


class CodecOfEachWorkflow(PayloadCodec, WithSerializationContext):
    """A codec with a key for each workflow, as a deployment may have one."""

    def __init__(self, key: str = "") -> None:
        self.key = key

    def with_context(self, context: SerializationContext) -> Self:
        assert isinstance(context, WorkflowSerializationContext)
        return type(self)(context.workflow_id)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


class CodecOfAll(CodecOfEachWorkflow):
    def with_context(self, context: SerializationContext) -> Self:
        return self


def test_no_sandbox_is_entered_for_a_context_that_changes_nothing() -> None:
    asked = replace(DATA_CONVERTER, payload_codec=CodecOfEachWorkflow())
    same_everywhere = (DATA_CONVERTER, replace(DATA_CONVERTER, payload_codec=CodecOfAll()))

    assert runner_for(asked) is WORKFLOW_RUNNER
    for converter in same_everywhere:
        runner = runner_for(converter)
        assert isinstance(runner, RunnerWithoutContexts)
        assert runner.restrictions == WORKFLOW_RUNNER.restrictions


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
