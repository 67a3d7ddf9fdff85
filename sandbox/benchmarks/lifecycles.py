"""Whole lifecycles as fast as they drain, and the CPU that they take, beside the floor."""

import math
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from temporalio.client import WorkflowHandle

from sandbox.benchmarks.bench import Bench
from sandbox.benchmarks.bookmaker import QUICK, REFERRALS_A_CODE, ReferralTraffic
from sandbox.benchmarks.drain import CpuMeter
from sandbox.benchmarks.figures import Figure
from sandbox.benchmarks.floor_workflow import TASK_QUEUE, FloorWorkflow, Life
from sandbox.benchmarks.load import bounded
from sandbox.benchmarks.watch import until

AT_ONCE: Final = 32
WARM_UP: Final = 24
WINDOW: Final = timedelta(seconds=1)
"""The chargeback window of QUICK."""
_COMPLETED: Final = f"TaskQueue = '{TASK_QUEUE}' AND ExecutionStatus = 'Completed'"

PROCESSES: Final = ("api", "courier", "worker", "postgres", "temporal")
TURNS: Final = 3

Handle = WorkflowHandle[FloorWorkflow, None]


async def measure(bench: Bench, *, count: int) -> list[Figure]:
    """Both drain the same number in the same three waves, each when the last was delivered.

    They take turns, so that a slow moment of the machine falls on both.
    """
    await _real(bench, "warm-up", WARM_UP)
    await _floor(bench, "warm-up", WARM_UP)
    pids = {**bench.connection.pids, "floor": bench.floors.worker_pid}
    real, floor = CpuMeter(), CpuMeter()
    for turn in range(TURNS):
        lives = math.ceil(count / TURNS)
        async with real.measuring(pids, lives=lives):
            await _real(bench, f"life-{turn}", lives)
        async with floor.measuring(pids, lives=lives):
            await _floor(bench, f"life-{turn}", lives)
    rate = Figure(
        name="lifecycles, click to settled",
        unit="1/s",
        value=real.per_second,
        floor=floor.per_second,
        at_least_of_floor=0.5,
    )
    return [rate, *_cpu_figures(real, floor)]


def _cpu_figures(real: CpuMeter, floor: CpuMeter) -> Iterable[Figure]:
    floors = {"worker": floor.cpu_ms("floor"), "temporal": floor.cpu_ms("temporal")}
    for name in PROCESSES:
        yield Figure(
            name=f"CPU of a lifecycle: {name}",
            unit="ms",
            value=real.cpu_ms(name),
            floor=floors.get(name),
        )
    yield Figure(
        name="CPU of a lifecycle: all of them",
        unit="ms",
        value=sum(real.cpu_ms(name) for name in PROCESSES),
        floor=sum(floors.values()),
    )


async def _real(bench: Bench, series: str, count: int) -> None:
    """From the first click to the last settled referral."""
    maker = ReferralTraffic(bench.caller, series=series, campaign=QUICK)
    await bounded(range(math.ceil(count / REFERRALS_A_CODE)), maker.code, at_once=AT_ONCE)
    for wave in (maker.click, maker.sign_up, maker.deposit):
        await bounded(range(count), wave, at_once=AT_ONCE)
        await bench.watch.quiet()
    await bench.watch.wait_until_all_at("SETTLED", maker.referrals.values())


async def _floor(bench: Bench, series: str, count: int) -> None:
    """From the first start to the last completed workflow."""
    done_before = await _completed(bench)
    handles: list[Handle] = []

    async def start(number: int) -> None:
        handle = await bench.temporal.start_workflow(
            FloorWorkflow.run,
            Life(window_s=WINDOW.total_seconds()),
            id=f"floor:{series}:{number}",
            task_queue=TASK_QUEUE,
        )
        handles.append(handle)

    async def all_completed() -> bool:
        return await _completed(bench) >= done_before + count

    await bounded(range(count), start, at_once=AT_ONCE)
    await bounded(range(count), lambda n: handles[n].signal("sign_up"), at_once=AT_ONCE)
    await bounded(range(count), lambda n: handles[n].signal("make_deposit"), at_once=AT_ONCE)
    await until(all_completed, f"{count} lives of the floor", every_s=0.1)


async def _completed(bench: Bench) -> int:
    return (await bench.temporal.count_workflows(_COMPLETED)).count
