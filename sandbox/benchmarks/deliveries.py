"""A backlog of deliveries, drained by the courier: the rate at its end beside that at its start."""

import time
from typing import Final

import asyncpg

from sandbox.benchmarks.floors import Bench
from sandbox.benchmarks.measurements import Measurement
from sandbox.benchmarks.traffic import REFERRALS_PER_CODE, ReferralTraffic
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.services.connections import connect

DELIVERIES: Final = 200_000
REFERRALS: Final = 200
"""Referrals that they are for: a workflow takes ten thousand signals at most."""
PARTS: Final = 5
STEADY: Final = 0.8
"""Least share of the first part's rate that the last one must have."""
_POLL_INTERVAL_S: Final = 0.5
_DRAINED_WITHIN_S: Final = 3600.0
_FILL: Final = """
    insert into deliveries (referral_id, kind, event_id, signal)
    select ($1::uuid[])[1 + n % cardinality($1::uuid[])], 'deposit', 'backlog-' || n, 'look'
      from generate_series(1, $2::integer) n
"""
_WAITING: Final = "select count(*) from deliveries where acknowledged_at is null"


async def measure(bench: Bench, *, count: int = DELIVERIES) -> list[Measurement]:
    """Write the deliveries at once, and time each fifth of them; the worker is suspended.

    Without it, what is measured is the courier and Temporal, which keeps the signals.
    """
    traffic = ReferralTraffic(bench.client, series="delivered")
    for number in range(REFERRALS):
        if number % REFERRALS_PER_CODE == 0:
            await traffic.code(number // REFERRALS_PER_CODE)
        await traffic.click(number)
        await traffic.sign_up(number)
    await bench.watcher.wait_until_idle()
    async with connect(bench.connection.postgres_owner_dsn) as connection:
        with bench.suspended("worker"):
            with bench.suspended("courier"):
                await connection.execute(_FILL, list(traffic.referrals.values()), count)
            first, *_, last = [
                await _drain_to(connection, count * left // PARTS, part=count / PARTS)
                for left in reversed(range(PARTS))
            ]
    return [
        Measurement(
            name=f"backlog of {count} deliveries, its last fifth beside its first",
            unit="1/s",
            value=last,
            floor=first,
            at_least_of_floor=STEADY,
        )
    ]


async def _drain_to(
    connection: "asyncpg.Connection[asyncpg.Record]", left: int, *, part: float
) -> float:
    """Return the rate at which a part is carried until no more than `left` wait."""
    began = time.perf_counter()
    await wait_until(
        lambda: connection.fetchval(_WAITING),
        lambda waiting: waiting <= left,
        what=f"at most {left} deliveries that wait",
        within_s=_DRAINED_WITHIN_S,
        every_s=_POLL_INTERVAL_S,
    )
    return part / (time.perf_counter() - began)
