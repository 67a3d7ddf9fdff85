"""`python -m tests.workflows.record RELEASE`: write a release's histories, beside those before it.

Run it when a release changes the workflow, and commit what it wrote. It adds files and never
touches one that is there: a history that no longer replays says that running referrals would
break. Mend the workflow then (`workflow.patched`); never record anew to make a test pass.
"""

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.workflows.harness.held_case import escalated_and_decided
from tests.workflows.harness.recorded_lives import RECORDED_LIVES, RecordedLife
from tests.workflows.harness.world import World
from tests.workflows.replay import CASE_HISTORIES, HISTORIES, MACHINE, runs_of

RELEASE: Final = "RECORDED_RELEASE"


@pytest.mark.parametrize("story", RECORDED_LIVES, ids=lambda story: story.__name__)
async def test_record(world: World, story: RecordedLife) -> None:
    life = await story(world)
    await _write_runs(world, life.id, HISTORIES, story.__name__)


async def test_record_case(world: World) -> None:
    case = await escalated_and_decided(world)
    await _write_runs(world, case.handle.id, CASE_HISTORIES, escalated_and_decided.__name__)


async def _write_runs(world: World, workflow_id: str, folder: Path, story: str) -> None:
    for number, (id_, run_id) in enumerate(runs_of(world, workflow_id), start=1):
        history = await world.env.client.get_workflow_handle(id_, run_id=run_id).fetch_history()
        read = json.loads(history.to_json(), object_hook=_without_stack_trace)
        events = json.dumps(read, indent=1, sort_keys=True)
        # Nobody has to know the name of the machine that it was recorded on.
        text = events.replace(socket.gethostname(), MACHINE)
        with (folder / f"{os.environ[RELEASE]}-{story}-{number}.json").open("x") as file:
            file.write(f"{text}\n")


def _without_stack_trace(node: dict[str, Any]) -> dict[str, Any]:
    """Blank the stack trace of a failure: it has paths of the machine, and no replay reads it."""
    return {**node, "stackTrace": ""} if "stackTrace" in node else node


if __name__ == "__main__":
    os.environ[RELEASE] = sys.argv[1]
    sys.exit(pytest.main([__file__]))
