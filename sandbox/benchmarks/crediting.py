"""How long a player waits between the friend's deposit and the credited reward."""

import asyncio
from contextlib import suppress
from typing import Final

from sandbox.benchmarks.bench import Bench
from sandbox.benchmarks.bookmaker import REFERRALS_A_CODE, ReferralTraffic
from sandbox.benchmarks.figures import Figure, percentile
from sandbox.benchmarks.load import bounded, steady

DEPOSITS_A_SECOND: Final = 5.0
STEADY_S: Final = 10.0
MOST_P50_MS: Final = 300.0


async def measure(bench: Bench) -> list[Figure]:
    maker = await _signed_up(bench, round(DEPOSITS_A_SECOND * STEADY_S))

    async def deposit(number: int) -> None:
        credited = asyncio.create_task(bench.watch.issued(maker.referrals[number]))
        await maker.deposit(number)
        await credited

    looking = asyncio.create_task(bench.watch.look())
    samples = await steady(deposit, per_second=DEPOSITS_A_SECOND, seconds=STEADY_S)
    looking.cancel()
    with suppress(asyncio.CancelledError):
        await looking
    name = f"deposit sent to reward credited at {DEPOSITS_A_SECOND:g}/s"
    return [
        Figure(
            name=f"{name}, p{percent}", unit="ms", value=percentile(samples, percent), at_most=bound
        )
        for percent, bound in ((50, MOST_P50_MS), (99, None))
    ]


async def _signed_up(bench: Bench, count: int) -> ReferralTraffic:
    """The default campaign's referrals, each of which waits for its deposit."""
    maker = ReferralTraffic(bench.caller, series="credited")
    await bounded(range(count // REFERRALS_A_CODE + 1), maker.code, at_once=8)
    for wave in (maker.click, maker.sign_up):
        await bounded(range(count), wave, at_once=8)
        await bench.watch.quiet()
    return maker
