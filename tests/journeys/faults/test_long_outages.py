"""Outages that last: an act that is open meanwhile costs no more events for each hour of it."""

import asyncio
import os
from typing import Final
from uuid import UUID

import pytest

from domain.lifecycle.referral import Stage
from referrals.verification.verify import verify_database
from sandbox.sportsbook.pairs import Pair, create_deposited_pair
from sandbox.sportsbook.requests import campaign_draft
from tests.journeys.faults.conftest import FaultySystem
from tests.workflows.harness.billing import difference
from workflows.client import workflow_id

OUTAGE_S: Final = float(os.environ.get("OUTAGE_S", "8"))
"""Seconds of the outage; an hour costs as many events, as OUTAGE_S=3600 shows."""
SERVERS: Final = ("postgres", "temporal") if "OUTAGE_S" in os.environ else ("postgres",)
"""Servers that go away: acts are open only while Postgres is, and each takes half a minute."""
CONVERGED_S: Final = 120.0
OPEN: Final = 4
MOST_EVENTS: Final = 48
"""Events of a settled referral: 31, and a dozen for the act that was open."""


@pytest.mark.timeout(OUTAGE_S + 300)
@pytest.mark.parametrize("server", SERVERS)
async def test_an_outage_costs_a_handful_of_events_however_long_it_lasts(
    system: FaultySystem, server: str
) -> None:
    sportsbook, proxy = system.sportsbook, getattr(system, server)
    draft = campaign_draft(chargeback_window="PT3S", lateness_grace="PT0S")
    slug = await sportsbook.publish(draft)
    before = await system.meter.settled()
    pairs = [await _rewarded(system, slug) for _ in range(OPEN)]

    proxy.refuses = True
    proxy.cut()
    await asyncio.sleep(OUTAGE_S)
    proxy.refuses = False

    for pair in pairs:
        stages = (Stage.SETTLED.value,)
        await sportsbook.wait_for_stage(pair.referral_id, *stages, within_s=CONVERGED_S)
    events = [await _count_events(system, pair) for pair in pairs]
    spent = difference(before, await system.meter.settled())
    print(f"{OUTAGE_S:g} s without {server}: {events} events, {spent} of {OPEN} referrals")  # noqa: T201 - shown by -s
    assert max(events) <= MOST_EVENTS
    report = await verify_database(system.database)
    assert {check.name: check.failures for check in report.checks if not check.ok} == {}


async def _rewarded(system: FaultySystem, slug: str) -> Pair:
    pair, _ = await create_deposited_pair(
        system.sportsbook, Stage.REWARDED.value, Stage.SETTLED.value, campaign=slug
    )
    return pair


async def _count_events(system: FaultySystem, pair: Pair) -> int:
    id_ = workflow_id(UUID(pair.referral_id))
    runs = [run.run_id async for run in system.workflows.list_workflows(f"WorkflowId = '{id_}'")]
    histories = [
        await system.workflows.get_workflow_handle(id_, run_id=run).fetch_history() for run in runs
    ]
    return sum(len(history.events) for history in histories)
