"""The doors under load: events of players whom nobody referred, and clicks."""

from collections.abc import Callable, Sequence
from typing import Final

from sandbox.benchmarks.bench import Bench
from sandbox.benchmarks.bookmaker import ReferralTraffic, full_deposit
from sandbox.benchmarks.caller import Caller
from sandbox.benchmarks.figures import Figure, percentile
from sandbox.benchmarks.load import Act, bounded, burst, steady

DEPOSITS_A_SECOND: Final = 100.0
CLICKS_A_SECOND: Final = 200.0
STEADY_S: Final = 8.0
CLICKS_S: Final = 10.0
BURST_S: Final = 3.0
AT_ONCE: Final = 16
MOST_P99_MS: Final = 50.0


async def measure_events(bench: Bench) -> list[Figure]:
    figures: list[Figure] = []
    real = await _steady_deposits(bench.caller, "/v1/events/deposits")
    await bench.watch.quiet()
    floor = await _steady_deposits(bench.floor_caller, "/deposits")
    figures += _latencies(f"POST deposits at {DEPOSITS_A_SECOND:g}/s", real, floor)
    fastest = await burst(
        _deposit_sender(bench.caller, "/v1/events/deposits", "burst"),
        at_once=AT_ONCE,
        seconds=BURST_S,
    )
    await bench.watch.quiet()
    floor_fastest = await burst(
        _deposit_sender(bench.floor_caller, "/deposits", "burst"), at_once=AT_ONCE, seconds=BURST_S
    )
    name = f"POST deposits, {AT_ONCE} callers"
    return [*figures, Figure(name=name, unit="1/s", value=fastest, floor=floor_fastest)]


async def measure_clicks(bench: Bench) -> list[Figure]:
    """Every visitor is new, so that each click makes an invitation and starts its workflow."""
    code = await ReferralTraffic(bench.caller, series="clicked").code(0)
    clicks, floor_clicks = Clicks(bench.caller), Clicks(bench.floor_caller)
    await bounded(range(AT_ONCE), lambda _: bench.caller.get(f"/r/{code}"), at_once=AT_ONCE)
    await bench.watch.quiet()
    # The floor first: on a small machine the workflows that these clicks start take minutes.
    floor = await floor_clicks.steady(lambda number: f"/r/click-{number}")
    real = await clicks.steady(lambda _: f"/r/{code}")
    name = f"GET /r/{{code}} at {CLICKS_A_SECOND:g}/s"
    refused = Figure(name=f"{name}, refused", unit="%", value=clicks.refused_percent, at_most=0)
    return [*_latencies(name, real, floor), refused]


class Clicks:
    """An overloaded door may refuse; that is a figure, and no end of the measurement."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._refused = 0

    @property
    def refused_percent(self) -> float:
        return 100 * self._refused / (CLICKS_A_SECOND * CLICKS_S)

    async def steady(self, path: Callable[[int], str]) -> list[float]:
        async def click(number: int) -> None:
            answer = await self._caller.get(path(number))
            self._refused += answer.status not in {302, 307}

        return await steady(click, per_second=CLICKS_A_SECOND, seconds=CLICKS_S)


async def _steady_deposits(caller: Caller, path: str) -> list[float]:
    await bounded(range(AT_ONCE), _deposit_sender(caller, path, "warm-up"), at_once=AT_ONCE)
    act = _deposit_sender(caller, path, "steady")
    return await steady(act, per_second=DEPOSITS_A_SECOND, seconds=STEADY_S)


def _deposit_sender(caller: Caller, path: str, series: str) -> Act:
    return lambda number: caller.post(path, full_deposit(f"{series}-{number}"))


def _latencies(name: str, real: Sequence[float], floor: Sequence[float]) -> list[Figure]:
    return [
        Figure(
            name=f"{name}, p{percent}",
            unit="ms",
            value=percentile(real, percent),
            floor=percentile(floor, percent),
            at_most=bound,
        )
        for percent, bound in ((50, None), (99, MOST_P99_MS))
    ]
