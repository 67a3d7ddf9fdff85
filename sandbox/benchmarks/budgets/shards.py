"""Rewards reserved from one budget by many at once: kept in one row, and spread over shards."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Final
from uuid import UUID

import asyncpg
import uvloop

from db.engine import Database
from db.tables import ReferralRow, Reward
from referrals.access.audit import Actor
from referrals.campaigns import funding
from referrals.rewards import transfers as rewards
from sandbox.benchmarks.floors import AFTERWARDS, Bench
from sandbox.benchmarks.measurements import Measurement
from sandbox.benchmarks.traffic import ReferralTraffic
from stack.postgres import DATABASE, sqlalchemy_url

RESERVED: Final = 800
"""Rewards that are reserved in each way, while the clock runs."""
WARMING: Final = 128
"""Reserved before, so that each connection has prepared its statements."""
PROCESSES: Final = 2
WORKERS: Final = 8
"""In each process; so there are as many acts at once as shards."""
SHARDS: Final = 16
AT_LEAST: Final = 2.5
"""Times as many rewards from shards as from one row."""
COMMIT_MS: Final = 5
"""Time of a commit in the second turn, as where it waits for a standby elsewhere. Where a
disk answers at once, and callers and Postgres share their cores, shards save little."""

# Triggers guard what people and acts do, a row at a time.
_WITHOUT_TRIGGERS: Final = "set session_replication_role = replica"
_REFERRALS: Final = """
    insert into referrals
    select (jsonb_populate_record(template, jsonb_build_object(
        'id', gen_random_uuid(),
        'referrer_id', $3::text || '-asks-' || number,
        'referee_id', $3::text || '-asked-' || number))).*
    from referrals as template cross join generate_series(1, $2::int) as number
    where template.id = $1
    returning id
"""
_REWARDS: Final = """
    insert into rewards (id, referral_id, reward_type, player_id, amount_minor, currency, status,
                         deposit_event_id, campaign_version_id, created_at, changed_at)
    select gen_random_uuid(), id, 'referrer', referrer_id,
           (terms -> 'referrer_reward' ->> 'minor')::bigint, 'USD', 'DEFERRED', 'asked',
           campaign_version_id, now(), now()
      from referrals where id = any($1::uuid[])
    returning id
"""


async def measure(bench: Bench) -> list[Measurement]:
    """Reserve rewards of one campaign from one row, and then from shards."""
    traffic = ReferralTraffic(bench.client, series="asks")
    await traffic.code(0)
    await traffic.click(0)
    await traffic.sign_up(0)
    await bench.watcher.wait_until_idle()
    template = UUID(traffic.referrals[0])
    superuser_dsn = f"{bench.connection.postgres_superuser_dsn.rsplit('/', 1)[0]}/{DATABASE}"
    url = sqlalchemy_url(bench.connection.postgres_dsn)
    measured = []
    for commit_ms in (0, COMMIT_MS):
        await _set_commit_time(superuser_dsn, commit_ms)
        per_s = []
        for shards in (1, SHARDS):
            await _spread(url, template, shards)
            asked = await copy_referral(
                superuser_dsn,
                template,
                count=WARMING + RESERVED,
                series=f"of-{shards}-at-{commit_ms}",
            )
            with bench.suspended(*AFTERWARDS):
                per_s.append(await asyncio.to_thread(_reserve_in_processes, url, asked))
        measured.append(_measurement(commit_ms, *per_s))
    await _set_commit_time(superuser_dsn, 0)
    return measured


def _measurement(commit_ms: int, one_row: float, spread: float) -> Measurement:
    commits = f"commits of {commit_ms} ms" if commit_ms else "commits at once"
    return Measurement(
        name=f"rewards reserved over {SHARDS} shards, {commits}; floor: from one row",
        unit="/s",
        value=spread,
        floor=one_row,
        at_least_of_floor=AT_LEAST if commit_ms else None,
    )


async def _set_commit_time(superuser_dsn: str, commit_ms: int) -> None:
    """Let Postgres wait before it flushes what is committed, and take others' commits along."""
    connection = await asyncpg.connect(superuser_dsn)
    try:
        await connection.execute(f"alter system set commit_delay = {commit_ms * 1000}")
        await connection.execute("alter system set commit_siblings = 0")
        await connection.execute("select pg_reload_conf()")
    finally:
        await connection.close()


async def copy_referral(
    superuser_dsn: str, referral_id: UUID, *, count: int, series: str
) -> list[UUID]:
    """Copy a referral for new players, and return their rewards, which nothing is reserved for."""
    connection = await asyncpg.connect(superuser_dsn)
    try:
        await connection.execute(_WITHOUT_TRIGGERS)
        async with connection.transaction():
            copies = await connection.fetch(_REFERRALS, referral_id, count, series)
            rows = await connection.fetch(_REWARDS, [row["id"] for row in copies])
        await connection.execute("analyze referrals, rewards")
        return [row["id"] for row in rows]
    finally:
        await connection.close()


async def _spread(url: str, referral_id: UUID, shards: int) -> None:
    by = Actor(name="bench", request_id=None, reason="a measurement")
    async with Database.open(url) as database, database.transaction() as session:
        referral = await session.get_one(ReferralRow, referral_id)
        await funding.spread_budgets(session, referral.campaign_slug, shards, by)


def _reserve_in_processes(url: str, asked: Sequence[UUID]) -> float:
    """Return the rewards reserved per second by several processes."""
    parts = [asked[number::PROCESSES] for number in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        spans = list(pool.map(_reserve_all, [url] * PROCESSES, parts))
    return RESERVED / (max(end for _, end in spans) - min(start for start, _ in spans))


def _reserve_all(url: str, asked: Sequence[UUID]) -> tuple[float, float]:
    return uvloop.run(_reserve_each(url, asked))


async def _reserve_each(url: str, asked: Sequence[UUID]) -> tuple[float, float]:
    """Reserve rewards by so many workers; return when they began and ended, once warm."""
    warming = WARMING // PROCESSES

    async def work(database: Database, left: Iterator[UUID]) -> None:
        for reward_id in left:
            async with database.transaction() as session:
                reward = await session.get_one(Reward, reward_id)
                referral = await session.get_one(ReferralRow, reward.referral_id)
                await rewards.hold(session, referral, [reward], at=datetime.now(UTC))

    async with Database.open(url, pool_size=WORKERS) as database:
        first = iter(asked[:warming])
        await asyncio.gather(*(work(database, first) for _ in range(WORKERS)))
        began, left = time.time(), iter(asked[warming:])
        await asyncio.gather(*(work(database, left) for _ in range(WORKERS)))
        return began, time.time()
