"""The traffic of `referrals bench` is that of honest people: all of it is paid."""

from math import ceil
from uuid import uuid4

import asyncpg

from sandbox.benchmarks.database_watcher import DatabaseWatcher
from sandbox.benchmarks.http_client import HttpClient
from sandbox.benchmarks.lifecycles import CONCURRENCY, WARM_UP
from sandbox.benchmarks.load import run_concurrently
from sandbox.benchmarks.traffic import (
    REFERRALS_PER_CODE,
    ReferralTraffic,
    open_campaign,
)
from stack import Connection


async def test_every_lifecycle_of_the_bench_is_paid(stack: Connection) -> None:
    client = HttpClient(stack.api_url, key=stack.api_key)
    postgres = await asyncpg.connect(stack.postgres_dsn)
    try:
        series = f"bench-{uuid4().hex[:8]}"
        await open_campaign(stack, client, slug=series)
        traffic = ReferralTraffic(client, series=series, campaign=series)
        groups = range(ceil(WARM_UP / REFERRALS_PER_CODE))
        await run_concurrently(groups, traffic.code, concurrency=CONCURRENCY)
        for wave in (traffic.click, traffic.sign_up, traffic.deposit):
            await run_concurrently(range(WARM_UP), wave, concurrency=CONCURRENCY)
        referrals = list(traffic.referrals.values())
        await DatabaseWatcher(postgres).wait_until_all_at("SETTLED", referrals)
        paid = await postgres.fetchval(
            "select count(*) from rewards where referral_id = any($1) and status = 'ISSUED'",
            referrals,
        )
        assert paid == len(referrals)
    finally:
        client.close()
        await postgres.close()
