"""Throughput of whole lifecycles beside the floor, and the CPU that each process spends on one."""

import math
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from temporalio.client import WorkflowHandle

from sandbox.benchmarks.cpu import CpuMeter
from sandbox.benchmarks.database_watcher import WAIT_TIMEOUT_S
from sandbox.benchmarks.floor_workflow import TASK_QUEUE, FloorWorkflow, Life
from sandbox.benchmarks.floors import Bench
from sandbox.benchmarks.load import run_concurrently
from sandbox.benchmarks.measurements import Measurement
from sandbox.benchmarks.traffic import (
    REFERRALS_PER_CODE,
    SHORT_CHARGEBACK_CAMPAIGN,
    ReferralTraffic,
)
from sandbox.sportsbook.polling import wait_until

CONCURRENCY: Final = 32
WARM_UP: Final = 64
"""Lifecycles of each kind before the measured ones. Real ones are played once before statistics are
gathered, which lets go of every plan, and once after it: most connections have planned their
statements by then, which each does five times over."""
WINDOW: Final = timedelta(seconds=1)
"""The chargeback window of SHORT_CHARGEBACK_CAMPAIGN."""
PROCESSES: Final = ("api", "courier", "worker", "postgres", "temporal")
TURNS: Final = 3
MAX_CPU_MS: Final = 110
COUNT_INTERVAL_S: Final = 0.1
_COMPLETED: Final = f"TaskQueue = '{TASK_QUEUE}' AND ExecutionStatus = 'Completed'"

Handle = WorkflowHandle[FloorWorkflow, None]


async def measure(bench: Bench, *, count: int) -> list[Measurement]:
    """Play as many floor lifecycles of both kinds as real ones, in the same three waves.

    They take turns, so that a slow moment of the machine falls on all.
    """
    await _play_real(bench, "warm-up", WARM_UP)
    for acts_in_place in (False, True):
        await _play_floor(bench, "warm-up", WARM_UP, acts_in_place=acts_in_place)
    await bench.analyse()
    await _play_real(bench, "planning", WARM_UP)
    pids = {**bench.connection.pids, "floor": bench.floors.worker_pid}
    real, floor, local_floor = CpuMeter(), CpuMeter(), CpuMeter()
    for turn in range(TURNS):
        lives = math.ceil(count / TURNS)
        async with real.measure(pids, count=lives):
            await _play_real(bench, f"life-{turn}", lives)
        async with floor.measure(pids, count=lives):
            await _play_floor(bench, f"life-{turn}", lives)
        async with local_floor.measure(pids, count=lives):
            await _play_floor(bench, f"life-{turn}", lives, acts_in_place=True)
    return [
        Measurement(
            name="lifecycles, click to settled",
            unit="1/s",
            value=real.per_second,
            floor=floor.per_second,
            at_least_of_floor=0.8,
        ),
        Measurement(
            name="lifecycles beside a floor of local activities",
            unit="1/s",
            value=real.per_second,
            floor=local_floor.per_second,
        ),
        *_cpu_measurements(real, floor, local_floor),
    ]


def _cpu_measurements(
    real: CpuMeter, floor: CpuMeter, local_floor: CpuMeter
) -> Iterable[Measurement]:
    floors = {
        "worker": floor.cpu_ms("floor"),
        "temporal": floor.cpu_ms("temporal"),
    }
    for process in PROCESSES:
        yield Measurement(
            name=f"CPU of a lifecycle: {process}",
            unit="ms",
            value=real.cpu_ms(process),
            floor=floors.get(process),
        )
    yield Measurement(
        name="CPU of a lifecycle: all of them",
        unit="ms",
        value=sum(real.cpu_ms(process) for process in PROCESSES),
        floor=sum(floors.values()),
        at_most=MAX_CPU_MS,
    )
    yield Measurement(
        name="CPU of a lifecycle: beside a floor of local activities",
        unit="ms",
        value=sum(real.cpu_ms(process) for process in PROCESSES),
        floor=local_floor.cpu_ms("floor") + local_floor.cpu_ms("temporal"),
    )


async def _play_real(bench: Bench, series: str, count: int) -> None:
    """Play referrals from the first click until all are settled."""
    traffic = ReferralTraffic(bench.client, series=series, campaign=SHORT_CHARGEBACK_CAMPAIGN)
    codes = range(math.ceil(count / REFERRALS_PER_CODE))
    await run_concurrently(codes, traffic.code, concurrency=CONCURRENCY)
    for wave in (traffic.click, traffic.sign_up, traffic.deposit):
        await run_concurrently(range(count), wave, concurrency=CONCURRENCY)
        await bench.watcher.wait_until_idle()
    await bench.watcher.wait_until_all_at("SETTLED", traffic.referrals.values())


async def _play_floor(
    bench: Bench, series: str, count: int, *, acts_in_place: bool = False
) -> None:
    """Run floor workflows from the first start until all are completed."""
    series = f"{series}-local" if acts_in_place else series
    completed_before = await _count_completed(bench)
    handles: list[Handle] = []

    async def start(number: int) -> None:
        handle = await bench.temporal.start_workflow(
            FloorWorkflow.run,
            Life(window_s=WINDOW.total_seconds(), acts_in_place=acts_in_place),
            id=f"floor:{series}:{number}",
            task_queue=TASK_QUEUE,
        )
        handles.append(handle)

    async def sign_up(number: int) -> None:
        await handles[number].signal("sign_up")

    async def make_deposit(number: int) -> None:
        await handles[number].signal("make_deposit")

    for wave in (start, sign_up, make_deposit):
        await run_concurrently(range(count), wave, concurrency=CONCURRENCY)
    await wait_until(
        lambda: _count_completed(bench),
        lambda completed: completed >= completed_before + count,
        what=f"{count} completed floor workflows",
        within_s=WAIT_TIMEOUT_S,
        every_s=COUNT_INTERVAL_S,
    )


async def _count_completed(bench: Bench) -> int:
    return (await bench.temporal.count_workflows(_COMPLETED)).count
