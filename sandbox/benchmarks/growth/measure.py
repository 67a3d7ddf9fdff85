"""The part `growth` of the benchmark: each step in a grown database beside a small one."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from db.engine import Database
from db.migrate import upgrade
from sandbox.benchmarks.floors import Bench
from sandbox.benchmarks.growth.lives import Lives
from sandbox.benchmarks.growth.rows import Size, fill
from sandbox.benchmarks.growth.steps import prepare, steps_of
from sandbox.benchmarks.measurements import Measurement, percentile
from stack.postgres import OWNER_ROLE, sqlalchemy_url

ROUNDS: Final = 5
"""Times that every step is taken in each database, in turns; the median is the result."""
SMALL: Final = Size(
    open_referrals=100, facts=1_000, referees=100, star_facts=100, bets=100, waiting=100
)
REFEREES: Final = 20_000
STAR_FACTS: Final = 2_000
BETS: Final = 20_000


def grown(open_referrals: int, facts: int) -> Size:
    """Return the size of a database with so many open referrals and facts."""
    return Size(
        open_referrals=open_referrals,
        facts=facts,
        referees=min(REFEREES, open_referrals),
        star_facts=STAR_FACTS,
        bets=BETS,
        waiting=min(REFEREES, open_referrals),
    )


async def measure(bench: Bench, *, open_referrals: int, facts: int) -> list[Measurement]:
    """Take the steps in both databases, on the servers of the run and without its processes."""
    sizes = {"small": SMALL, "grown": grown(open_referrals, facts)}
    samples: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in sizes}
    async with (
        _filled(bench, "growth_small", sizes["small"]) as small,
        _filled(bench, "growth_grown", sizes["grown"]) as large,
    ):
        for _ in range(ROUNDS):
            await _take_steps(small, samples["small"])
            await _take_steps(large, samples["grown"])
    among = f"among {open_referrals:,} open referrals and {facts:,} facts"
    return [
        Measurement(
            name=f"{step}, {among}",
            unit="ms",
            value=percentile(taken, 50),
            floor=percentile(samples["small"][step], 50),
        )
        for step, taken in samples["grown"].items()
    ]


async def _take_steps(lives: Lives, samples: dict[str, list[float]]) -> None:
    for name, step in steps_of(lives, await prepare(lives)).items():
        began = time.perf_counter()
        await step()
        samples[name].append((time.perf_counter() - began) * 1000)


@asynccontextmanager
async def _filled(bench: Bench, name: str, size: Size) -> AsyncIterator[Lives]:
    """Create and fill a database for a block."""
    connection = bench.connection
    superuser = await asyncpg.connect(connection.postgres_superuser_dsn)
    try:
        await superuser.execute(f"create database {name} owner {OWNER_ROLE}")
        owner, application = (
            sqlalchemy_url(dsn.rpartition("/")[0] + f"/{name}")
            for dsn in (connection.postgres_owner_dsn, connection.postgres_dsn)
        )
        await asyncio.to_thread(upgrade, owner)
        async with Database.open(application) as database:
            lives = Lives(database)
            await fill(connection.postgres_superuser_dsn, name, size, await lives.begin())
            yield lives
    finally:
        await superuser.execute(f"drop database if exists {name} with (force)")
        await superuser.close()
