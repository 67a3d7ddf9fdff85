"""Whole lifecycles as fast as they drain, and the CPU that they take, beside the floor."""

import math
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from temporalio.client import WorkflowHandle

from sandbox.benchmarks import cpu
from sandbox.benchmarks.bench import Bench
from sandbox.benchmarks.bookmaker import QUICK, REFERRALS_A_CODE, Bookmaker
from sandbox.benchmarks.figures import Figure
from sandbox.benchmarks.floor_workflow import TASK_QUEUE, FloorWorkflow, Life
from sandbox.benchmarks.load import bounded
from sandbox.benchmarks.watch import until

AT_ONCE: Final = 32
WARM_UP: Final = 24
WINDOW: Final = timedelta(seconds=1)
"""The chargeback window of QUICK."""
_COMPLETED: Final = f"TaskQueue = '{TASK_QUEUE}' AND ExecutionStatus = 'Completed'"

Handle = WorkflowHandle[FloorWorkflow, None]


async def measure(bench: Bench, *, count: int) -> list[Figure]:
    """Both drain the same number in the same three waves, each when the last was delivered."""
    await _real(bench, "warm-up", WARM_UP)
    await _floor(bench, "warm-up", WARM_UP)
    pids = {**bench.connection.pids, "floor": bench.floors.worker_pid}
    idle = cpu.seconds(pids)
    real_s = await _real(bench, "life", count)
    between = cpu.seconds(pids)
    floor_s = await _floor(bench, "life", count)
    after = cpu.seconds(pids)
    rate = Figure(
        name="lifecycles, click to settled",
        unit="1/s",
        value=count / real_s,
        floor=count / floor_s,
        at_least_of_floor=0.5,
    )
    taken = cpu.difference_ms(idle, between, lives=count)
    return [rate, *_cpu_figures(taken, cpu.difference_ms(between, after, lives=count))]


def _cpu_figures(taken: Mapping[str, float], floor: Mapping[str, float]) -> Iterable[Figure]:
    floors = {"worker": floor["floor"], "temporal": floor["temporal"]}
    for name in ("api", "courier", "worker", "postgres", "temporal"):
        yield Figure(
            name=f"CPU of a lifecycle: {name}",
            unit="ms",
            value=taken[name],
            floor=floors.get(name),
        )


async def _real(bench: Bench, series: str, count: int) -> float:
    """Seconds from the first click to the last settled referral."""
    maker = Bookmaker(bench.caller, series=series, campaign=QUICK)
    await bounded(range(math.ceil(count / REFERRALS_A_CODE)), maker.code, at_once=AT_ONCE)
    start_s = time.perf_counter()
    for wave in (maker.click, maker.sign_up, maker.deposit):
        await bounded(range(count), wave, at_once=AT_ONCE)
        await bench.watch.quiet()
    await bench.watch.all_at("SETTLED", maker.referrals.values())
    return time.perf_counter() - start_s


async def _floor(bench: Bench, series: str, count: int) -> float:
    """Seconds from the first start to the last completed workflow."""
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

    start_s = time.perf_counter()
    await bounded(range(count), start, at_once=AT_ONCE)
    await bounded(range(count), lambda n: handles[n].signal("sign_up"), at_once=AT_ONCE)
    await bounded(range(count), lambda n: handles[n].signal("make_deposit"), at_once=AT_ONCE)
    await until(all_completed, f"{count} lives of the floor", every_s=0.1)
    return time.perf_counter() - start_s


async def _completed(bench: Bench) -> int:
    return (await bench.temporal.count_workflows(_COMPLETED)).count
