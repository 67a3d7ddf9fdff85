"""Replay of the committed histories against the present workflow."""

import re
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.workflow import NondeterminismError

from tests.workflows.harness.incompatible_workflow import IncompatibleWorkflow
from tests.workflows.harness.recorded_lives import RECORDED_LIVES
from tests.workflows.replay import MACHINE, committed_histories, replayer


@pytest.mark.parametrize("path", committed_histories(), ids=lambda path: path.stem)
async def test_a_committed_history_replays(path: Path) -> None:
    await replayer().replay_workflow(WorkflowHistory.from_json(path.stem, path.read_text()))


def test_every_story_was_recorded() -> None:
    recorded = {path.stem.split("-")[1] for path in committed_histories()}

    assert recorded >= {story.__name__ for story in RECORDED_LIVES}


def test_no_history_names_the_machine_it_was_recorded_on() -> None:
    for path in committed_histories():
        for identity in re.findall(r'"identity": "(.*)"', path.read_text()):
            assert identity.endswith(f"@{MACHINE}")


@pytest.mark.parametrize("path", committed_histories(), ids=lambda path: path.stem)
async def test_a_changed_workflow_does_not_replay(path: Path) -> None:
    history = WorkflowHistory.from_json(path.stem, path.read_text())

    with pytest.raises(NondeterminismError):
        await replayer(IncompatibleWorkflow).replay_workflow(history)
