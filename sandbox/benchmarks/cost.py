"""What a referral costs of Temporal: billed actions, and the events of its history."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from temporalio.client import Client

from sandbox.benchmarks.bench import Bench
from sandbox.benchmarks.bookmaker import BRIEF, QUICK, REFERRALS_A_CODE, ReferralTraffic
from sandbox.benchmarks.caller import Caller
from sandbox.benchmarks.figures import Figure
from sandbox.benchmarks.load import bounded

COUNT: Final = 8
APART_S: Final = 0.5
"""In life days lie between the steps; here at least every workflow task of the last one."""
REPORTED_AFTER_S: Final = 2.5
"""The server tells its counters only every second."""
_ACTION: Final = re.compile(
    r'^action\{action_type="(\w+)",namespace="default".*\} (\S+)$', re.MULTILINE
)
_FREE: Final = frozenset({"command_RecordMarker"})

Wave = Callable[[int], Awaitable[object]]


async def measure(bench: Bench) -> list[Figure]:
    rewarded = ReferralTraffic(bench.caller, series="cost", campaign=QUICK)
    expired = ReferralTraffic(bench.caller, series="cost-brief", campaign=BRIEF)
    earning = (rewarded.click, rewarded.sign_up, rewarded.deposit)
    return [
        *await _life(bench, rewarded, earning, end="SETTLED", actions=12, events=48),
        *await _life(bench, expired, (expired.click,), end="EXPIRED", actions=3, events=None),
    ]


async def _life(
    bench: Bench,
    maker: ReferralTraffic,
    waves: Sequence[Wave],
    *,
    end: str,
    actions: int,
    events: int | None,
) -> list[Figure]:
    metrics = Caller(bench.connection.temporal_metrics_url)
    await bounded(range(COUNT // REFERRALS_A_CODE), maker.code, at_once=COUNT)
    await asyncio.sleep(REPORTED_AFTER_S)
    before = await _actions(metrics)
    for wave in waves:
        await bounded(range(COUNT), wave, at_once=COUNT)
        await bench.watch.quiet()
        await asyncio.sleep(APART_S)
    await bench.watch.wait_until_all_at(end, maker.referrals.values())
    await asyncio.sleep(REPORTED_AFTER_S)
    taken = (await _actions(metrics) - before) / COUNT
    lengths = [await _events(bench.temporal, f"referral:{i}") for i in maker.referrals.values()]
    metrics.close()
    name = f"of a referral that was {end}"
    return [
        Figure(name=f"Temporal actions {name}", unit="actions", value=taken, at_most=actions),
        Figure(
            name=f"history events {name}", unit="events", value=sum(lengths) / COUNT, at_most=events
        ),
    ]


async def _actions(metrics: Caller) -> float:
    counted = _ACTION.findall((await metrics.get("/metrics")).body.decode())
    return sum(float(number) for kind, number in counted if kind not in _FREE)


async def _events(client: Client, workflow_id: str) -> int:
    """Of all runs, from the last one back through those that continued as new."""
    events, run_id = 0, None
    while run_id != "":
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        events += len(history.events)
        start = history.events[0].workflow_execution_started_event_attributes
        run_id = start.continued_execution_run_id
    return events
