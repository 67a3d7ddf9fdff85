"""Any history of facts, decisions and time leaves the ledger where the model says."""

import os
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stack.postgres import PostgresCluster
from tests.activities.stateful import steps
from tests.fixtures.databases import database_copy, open_database

EXAMPLES: Final = int(os.environ.get("MONEY_EXAMPLES", "3"))
"""As many as take about a minute; 500 are played before a release."""
STEPS: Final = int(os.environ.get("MONEY_STEPS", "40"))
NO_TIME: Final = timedelta(0)
"""After it, deliveries are carried, and whoever's time was up already has acted."""
# Each example has a database of its own: shrinking would take hours. Play one with fewer steps.
PLAYED: Final = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    report_multiple_bugs=False,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(0)
@PLAYED
@given(data=st.data())
async def test_the_ledger_equals_the_model_after_every_step(
    postgres: PostgresCluster, template_database: str, data: st.DataObject
) -> None:
    async with (
        database_copy(postgres, template_database) as urls,
        open_database(urls.application) as database,
    ):
        play = await steps.begin(database, data.draw)
        for _ in range(STEPS):
            step = data.draw(st.sampled_from(steps.possible_steps(play)))
            await step(play, data.draw)
            await play.passes(NO_TIME)
            await play.compares()
            await play.verifies()
