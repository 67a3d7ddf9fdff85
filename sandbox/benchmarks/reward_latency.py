"""Latency from a deposit that qualifies to the credited reward: over HTTP, and over Kafka."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from sandbox.benchmarks.floors import Bench
from sandbox.benchmarks.load import Request, run_at_rate, run_concurrently
from sandbox.benchmarks.measurements import Measurement, percentile
from sandbox.benchmarks.traffic import REFERRALS_PER_CODE, ReferralTraffic
from sandbox.sportsbook.services.running import Services, run_services

DEPOSITS_PER_SECOND: Final = 5.0
DEPOSITS_S: Final = 10.0
CONCURRENCY: Final = 8
"""Requests in flight while the referrals are created, which is not measured."""
MAX_P50_MS: Final = 80.0
MAX_P99_MS: Final = 300.0
DEPOSIT_MINOR: Final = 2000


async def measure(bench: Bench) -> list[Measurement]:
    """Send deposits to the service over HTTP."""
    traffic = await _create_signed_up_referrals(bench, series="credited")
    samples = await _time_credits(bench, traffic, traffic.deposit)
    return _measurements(
        "deposit sent to reward credited", samples, bounds=(MAX_P50_MS, MAX_P99_MS)
    )


async def measure_over_kafka(bench: Bench) -> list[Measurement]:
    """Settle deposits with the payments service, whose outbox is published to Kafka."""
    traffic = await _create_signed_up_referrals(bench, series="travelling")
    brokers = bench.connection.kafka_bootstrap_servers or ""
    async with run_services(bench.connection.postgres_superuser_dsn, brokers) as services:
        deposits = await run_concurrently(
            range(len(traffic.referrals)),
            lambda number: _authorise(services, traffic.player(number)),
            concurrency=CONCURRENCY,
        )
        samples = await _time_credits(
            bench, traffic, lambda number: services.payments.settle(deposits[number])
        )
    return _measurements("deposit settled in payments to reward credited, over Kafka", samples)


async def _time_credits(bench: Bench, traffic: ReferralTraffic, deposit: Request) -> list[float]:
    """Return the milliseconds from when each deposit was due until its reward was credited."""

    async def wait_for_credit(number: int) -> None:
        referral_id = traffic.referrals[number]
        credited = asyncio.create_task(bench.watcher.wait_until_credited(referral_id))
        await deposit(number)
        await credited

    polling = asyncio.create_task(bench.watcher.poll_rewards())
    samples = await run_at_rate(wait_for_credit, per_second=DEPOSITS_PER_SECOND, seconds=DEPOSITS_S)
    polling.cancel()
    with suppress(asyncio.CancelledError):
        await polling
    return samples


def _measurements(
    name: str, samples: Sequence[float], *, bounds: tuple[float | None, float | None] = (None, None)
) -> list[Measurement]:
    return [
        Measurement(
            name=f"{name} at {DEPOSITS_PER_SECOND:g}/s, p{percent}",
            unit="ms",
            value=percentile(samples, percent),
            at_most=bound,
        )
        for percent, bound in zip((50, 99), bounds, strict=True)
    ]


async def _create_signed_up_referrals(bench: Bench, *, series: str) -> ReferralTraffic:
    """Create referrals of the default campaign, each of which waits for its deposit."""
    count = round(DEPOSITS_PER_SECOND * DEPOSITS_S)
    traffic = ReferralTraffic(bench.client, series=series)
    codes = range(count // REFERRALS_PER_CODE + 1)
    await run_concurrently(codes, traffic.code, concurrency=CONCURRENCY)
    for wave in (traffic.click, traffic.sign_up):
        await run_concurrently(range(count), wave, concurrency=CONCURRENCY)
        await bench.watcher.wait_until_idle()
    return traffic


async def _authorise(services: Services, player_id: str) -> str:
    card_id = await services.payments.add_card(player_id)
    return await services.payments.authorise(card_id, DEPOSIT_MINOR)
