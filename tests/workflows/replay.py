"""Replay of histories against the present workflow."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from temporalio.client import Client
from temporalio.worker import Replayer, WorkflowRunner

from tests.workflows.harness.world import World
from workflows.builds import BUILD_ID
from workflows.case.workflow import CaseWorkflow
from workflows.interceptor import DropMalformedSignals
from workflows.payloads import DATA_CONVERTER
from workflows.referral.workflow import ReferralWorkflow
from workflows.runner import runner_for

HISTORIES: Final = Path(__file__).parent / "histories"
CASE_HISTORIES: Final = HISTORIES / "cases"
MACHINE: Final = "recorder"


def replayer(*workflows: type[Any], runner: WorkflowRunner | None = None) -> Replayer:
    """Return a replayer that runs workflows as the worker does; tests may give a changed one."""
    return Replayer(
        workflows=workflows or (ReferralWorkflow, CaseWorkflow),
        data_converter=DATA_CONVERTER,
        workflow_runner=runner or runner_for(DATA_CONVERTER),
        interceptors=[DropMalformedSignals()],
        build_id=BUILD_ID,
    )


async def replay_runs(client: Client, runs: Iterable[tuple[str, str]]) -> None:
    for workflow_id, run_id in runs:
        handle = client.get_workflow_handle(workflow_id, run_id=run_id)
        await replayer().replay_workflow(await handle.fetch_history())


def committed_histories() -> list[Path]:
    return sorted(HISTORIES.glob("*.json"))


def runs_of(world: World, workflow_id: str) -> list[tuple[str, str]]:
    """Return the (workflow id, run id) pairs of a referral's runs that acted, in order."""
    return [run for run in world.hooks.runs if run[0] == workflow_id]
