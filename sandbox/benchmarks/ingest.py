"""HTTP latency and throughput: deposits of players whom nobody referred, and clicks."""

from collections.abc import Callable, Sequence
from typing import Final

from sandbox.benchmarks.floors import Bench
from sandbox.benchmarks.http_client import HttpClient
from sandbox.benchmarks.load import Request, run_at_rate, run_closed_loop, run_concurrently
from sandbox.benchmarks.measurements import Measurement, percentile
from sandbox.benchmarks.traffic import ReferralTraffic, deposit_body

DEPOSITS_PER_SECOND: Final = 100.0
CLICKS_PER_SECOND: Final = 200.0
DEPOSITS_S: Final = 8.0
CLICKS_S: Final = 10.0
CLOSED_LOOP_S: Final = 3.0
CONCURRENCY: Final = 16
"""Callers of the closed loop, and requests that warm up a connection each."""
MAX_DEPOSIT_P99_MS: Final = 20.0
MAX_CLICK_P99_MS: Final = 30.0
MIN_RATIO: Final = 0.6
_REDIRECTS: Final = frozenset({302, 307})


async def measure_events(bench: Bench) -> list[Measurement]:
    real = await _deposit_at_rate(bench.client, "/v1/events/deposits")
    await bench.watcher.wait_until_idle()
    await bench.analyse()
    floor = await _deposit_at_rate(bench.floor_client, "/deposits")
    latencies = _latencies(
        f"POST deposits at {DEPOSITS_PER_SECOND:g}/s", real, floor, MAX_DEPOSIT_P99_MS
    )
    throughput = await _deposit_in_closed_loop(bench.client, "/v1/events/deposits")
    await bench.watcher.wait_until_idle()
    floor_throughput = await _deposit_in_closed_loop(bench.floor_client, "/deposits")
    name = f"POST deposits, {CONCURRENCY} callers"
    return [
        *latencies,
        Measurement(
            name=name,
            unit="1/s",
            value=throughput,
            floor=floor_throughput,
            at_least_of_floor=MIN_RATIO,
        ),
    ]


async def measure_clicks(bench: Bench) -> list[Measurement]:
    """Follow a link as new visitors, so that each click makes an invitation with a workflow."""
    code = await ReferralTraffic(bench.client, series="clicked").code(0)
    clicks, floor_clicks = Clicks(bench.client), Clicks(bench.floor_client)
    await run_concurrently(
        range(CONCURRENCY), lambda _: bench.client.get(f"/r/{code}"), concurrency=CONCURRENCY
    )
    await bench.watcher.wait_until_idle()
    await bench.analyse()
    # The floor first: on a small machine the workflows that these clicks start take minutes.
    floor = await floor_clicks.run(lambda number: f"/r/click-{number}")
    real = await clicks.run(lambda _: f"/r/{code}")
    name = f"GET /r/{{code}} at {CLICKS_PER_SECOND:g}/s"
    refused = Measurement(
        name=f"{name}, refused", unit="%", value=clicks.refused_percent, at_most=0
    )
    return [*_latencies(name, real, floor, MAX_CLICK_P99_MS), refused]


class Clicks:
    """Clicks at a constant rate; those that an overloaded server refuses are counted."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self._refused = 0

    @property
    def refused_percent(self) -> float:
        return 100 * self._refused / (CLICKS_PER_SECOND * CLICKS_S)

    async def run(self, path: Callable[[int], str]) -> list[float]:
        async def click(number: int) -> None:
            response = await self._client.get(path(number))
            self._refused += response.status not in _REDIRECTS

        return await run_at_rate(click, per_second=CLICKS_PER_SECOND, seconds=CLICKS_S)


async def _deposit_at_rate(client: HttpClient, path: str) -> list[float]:
    warm_up = _deposit_sender(client, path, "warm-up")
    await run_concurrently(range(CONCURRENCY), warm_up, concurrency=CONCURRENCY)
    deposit = _deposit_sender(client, path, "steady")
    return await run_at_rate(deposit, per_second=DEPOSITS_PER_SECOND, seconds=DEPOSITS_S)


async def _deposit_in_closed_loop(client: HttpClient, path: str) -> float:
    deposit = _deposit_sender(client, path, "burst")
    return await run_closed_loop(deposit, concurrency=CONCURRENCY, seconds=CLOSED_LOOP_S)


def _deposit_sender(client: HttpClient, path: str, series: str) -> Request:
    return lambda number: client.post(path, deposit_body(f"{series}-{number}"))


def _latencies(
    name: str, real: Sequence[float], floor: Sequence[float], max_p99_ms: float
) -> list[Measurement]:
    return [
        Measurement(
            name=f"{name}, p{percent}",
            unit="ms",
            value=percentile(real, percent),
            floor=percentile(floor, percent),
            at_most=bound,
        )
        for percent, bound in ((50, None), (99, max_p99_ms))
    ]
