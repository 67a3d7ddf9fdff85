"""Temporal cost of a referral: billed actions, and the events of its histories."""

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

from temporalio.client import Client

from sandbox.benchmarks.floors import Bench
from sandbox.benchmarks.http_client import HttpClient
from sandbox.benchmarks.load import Request, run_concurrently
from sandbox.benchmarks.measurements import Measurement
from sandbox.benchmarks.traffic import (
    REFERRALS_PER_CODE,
    SHORT_CHARGEBACK_CAMPAIGN,
    SHORT_SIGNUP_CAMPAIGN,
    ReferralTraffic,
)
from stack.temporal import NAMESPACE
from workflows.client import workflow_id

COUNT: Final = 8
"""Referrals of each kind, whose mean is the result."""
PAUSE_S: Final = 0.5
"""Pause between waves, so that all workflow tasks of one end first; in life it takes days."""
METRICS_DELAY_S: Final = 2.5
"""Longer than the server takes to publish its counters, which it does every second."""
_ACTION: Final = re.compile(
    rf'^action\{{action_type="(\w+)",namespace="{NAMESPACE}".*\}} (\S+)$', re.MULTILINE
)
_NOT_BILLED: Final = frozenset({"command_RecordMarker"})


async def measure(bench: Bench) -> list[Measurement]:
    rewarded = ReferralTraffic(bench.client, series="cost", campaign=SHORT_CHARGEBACK_CAMPAIGN)
    expired = ReferralTraffic(bench.client, series="cost-brief", campaign=SHORT_SIGNUP_CAMPAIGN)
    small: list[Request] = [partial(rewarded.deposit_little, minor=minor) for minor in (1, 2, 3)]
    waves = (rewarded.click, rewarded.sign_up, rewarded.verify, *small, rewarded.deposit)
    return [
        *await _measure_referrals(bench, rewarded, waves, end="SETTLED", actions=10, events=32),
        *await _measure_referrals(
            bench, expired, (expired.click,), end="EXPIRED", actions=3, events=11
        ),
    ]


async def _measure_referrals(
    bench: Bench,
    traffic: ReferralTraffic,
    waves: Sequence[Request],
    *,
    end: str,
    actions: int,
    events: int | None,
) -> list[Measurement]:
    """Play referrals to the stage `end`; `actions` and `events` are the targets."""
    metrics = HttpClient(bench.connection.temporal_metrics_url)
    codes = range(COUNT // REFERRALS_PER_CODE)
    await run_concurrently(codes, traffic.code, concurrency=COUNT)
    await asyncio.sleep(METRICS_DELAY_S)
    before = await _billed_actions(metrics)
    for wave in waves:
        await run_concurrently(range(COUNT), wave, concurrency=COUNT)
        await bench.watcher.wait_until_idle()
        await asyncio.sleep(PAUSE_S)
    await bench.watcher.wait_until_all_at(end, traffic.referrals.values())
    await asyncio.sleep(METRICS_DELAY_S)
    taken = (await _billed_actions(metrics) - before) / COUNT
    metrics.close()
    lengths = [
        await _count_events(bench.temporal, referral_id)
        for referral_id in traffic.referrals.values()
    ]
    name = f"of a referral that was {end}"
    return [
        Measurement(name=f"Temporal actions {name}", unit="actions", value=taken, at_most=actions),
        Measurement(
            name=f"history events {name}", unit="events", value=sum(lengths) / COUNT, at_most=events
        ),
    ]


async def _billed_actions(metrics: HttpClient) -> float:
    counters = _ACTION.findall((await metrics.get("/metrics")).body.decode())
    return sum(float(count) for kind, count in counters if kind not in _NOT_BILLED)


async def _count_events(client: Client, referral_id: str) -> int:
    """Count the events of all runs, from the last back through those that continued as new."""
    events, run_id, workflow = 0, None, workflow_id(UUID(referral_id))
    while run_id != "":
        history = await client.get_workflow_handle(workflow, run_id=run_id).fetch_history()
        events += len(history.events)
        start = history.events[0].workflow_execution_started_event_attributes
        run_id = start.continued_execution_run_id
    return events
