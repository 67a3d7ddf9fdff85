"""Latency from a deposit that qualifies to the credited reward."""

import asyncio
from contextlib import suppress
from typing import Final

from sandbox.benchmarks.floors import Bench
from sandbox.benchmarks.load import run_at_rate, run_concurrently
from sandbox.benchmarks.measurements import Measurement, percentile
from sandbox.benchmarks.traffic import REFERRALS_PER_CODE, ReferralTraffic

DEPOSITS_PER_SECOND: Final = 5.0
DEPOSITS_S: Final = 10.0
CONCURRENCY: Final = 8
"""Requests in flight while the referrals are created, which is not measured."""
MAX_P50_MS: Final = 300.0


async def measure(bench: Bench) -> list[Measurement]:
    traffic = await _create_signed_up_referrals(bench, round(DEPOSITS_PER_SECOND * DEPOSITS_S))

    async def deposit(number: int) -> None:
        referral_id = traffic.referrals[number]
        credited = asyncio.create_task(bench.watcher.wait_until_credited(referral_id))
        await traffic.deposit(number)
        await credited

    polling = asyncio.create_task(bench.watcher.poll_rewards())
    samples = await run_at_rate(deposit, per_second=DEPOSITS_PER_SECOND, seconds=DEPOSITS_S)
    polling.cancel()
    with suppress(asyncio.CancelledError):
        await polling
    name = f"deposit sent to reward credited at {DEPOSITS_PER_SECOND:g}/s"
    return [
        Measurement(
            name=f"{name}, p{percent}", unit="ms", value=percentile(samples, percent), at_most=bound
        )
        for percent, bound in ((50, MAX_P50_MS), (99, None))
    ]


async def _create_signed_up_referrals(bench: Bench, count: int) -> ReferralTraffic:
    """Create referrals of the default campaign, each of which waits for its deposit."""
    traffic = ReferralTraffic(bench.client, series="credited")
    codes = range(count // REFERRALS_PER_CODE + 1)
    await run_concurrently(codes, traffic.code, concurrency=CONCURRENCY)
    for wave in (traffic.click, traffic.sign_up):
        await run_concurrently(range(count), wave, concurrency=CONCURRENCY)
        await bench.watcher.wait_until_idle()
    return traffic
