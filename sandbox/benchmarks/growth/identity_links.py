"""Fraud scoring and the rebuild of clusters among a million identity links."""

import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg
from sqlalchemy import select

from courier.commands import linker
from db.engine import Database
from db.tables import ReferralRow
from domain.fraud.rule_sets import BASE, score
from referrals.fraud.evidence import load_markers, load_snapshot
from sandbox.benchmarks.floors import Bench
from sandbox.benchmarks.measurements import Measurement, percentile
from sandbox.benchmarks.traffic import ReferralTraffic
from stack.postgres import DATABASE, sqlalchemy_url

PLAYERS: Final = 500_000
"""Players with links of their own, two each."""
JOINED: Final = 200_000
"""Players, of the former, who pay four with one card each and have no cluster yet."""
REFEREES: Final = 20_000
"""Referees of the one referrer whose referrals are scored."""
SCORED: Final = 300
MAX_P99_MS: Final = 25.0
REBUILD_TIMEOUT_S: Final = 60.0

_FILL_LINKS: Final = f"""
    insert into identity_links (kind, value, player_id, is_strong, first_seen_at, last_seen_at)
    select kind, value, 'linked-' || number, kind = 'payment_instrument', now(), now()
    from generate_series(1, {PLAYERS}) as number
    cross join lateral (values
        ('payment_instrument', 'card-' ||
            case when number <= {JOINED} then number / 4 else number end),
        ('ip', 'address-' || number / 20)
    ) as said (kind, value)
"""  # noqa: S608 - made of constants
_FILL_REFERRALS: Final = f"""
    insert into referrals
    select (jsonb_populate_record(template, jsonb_build_object(
        'id', gen_random_uuid(), 'referee_id', 'linked-' || number))).*
    from referrals as template cross join generate_series(1, {REFEREES}) as number
    where template.id = $1
"""  # noqa: S608 - made of constants


async def measure(bench: Bench) -> list[Measurement]:
    """Score referrals of a referrer with many referees, and rebuild all clusters at once."""
    traffic = ReferralTraffic(bench.client, series="linked-to")
    await traffic.code(0)
    await traffic.click(0)
    await traffic.sign_up(0)
    await bench.watcher.wait_until_idle()
    await _fill(bench.connection.postgres_superuser_dsn, UUID(traffic.referrals[0]))
    async with Database.open(
        sqlalchemy_url(bench.connection.postgres_dsn), command_timeout_s=REBUILD_TIMEOUT_S
    ) as database:
        samples = await _time_scorings(database, traffic.referrer(0))
        began = time.perf_counter()
        rebuilt = await linker.rebuild_all(database)
        rebuild_s = time.perf_counter() - began
    name = f"scoring a referral among {2 * PLAYERS:,} links, of {REFEREES:,} referees"
    return [
        Measurement(name=f"{name}, p50", unit="ms", value=percentile(samples, 50)),
        Measurement(
            name=f"{name}, p99", unit="ms", value=percentile(samples, 99), at_most=MAX_P99_MS
        ),
        Measurement(
            name=f"rebuild of the clusters of {rebuilt.changed:,} players",
            unit="s",
            value=rebuild_s,
            at_most=REBUILD_TIMEOUT_S,
        ),
    ]


async def _fill(superuser_dsn: str, template_id: UUID) -> None:
    connection = await asyncpg.connect(superuser_dsn, database=DATABASE)
    try:
        # Triggers guard what people and acts do, a row at a time.
        await connection.execute("set session_replication_role = replica")
        await connection.execute(_FILL_LINKS)
        await connection.execute(_FILL_REFERRALS, template_id)
        await connection.execute("analyze identity_links, referrals")
    finally:
        await connection.close()


async def _time_scorings(database: Database, referrer_id: str) -> Sequence[float]:
    """Return the milliseconds that each scoring of some of the referrer's referrals took."""
    theirs = select(ReferralRow).where(ReferralRow.referrer_id == referrer_id).limit(SCORED)
    async with database.reading() as session:
        referrals = (await session.scalars(theirs)).all()
    samples = []
    for referral in referrals:
        began = time.perf_counter()
        async with database.reading() as session:
            await load_markers(session, [referral])
            score(await load_snapshot(session, referral, deposit_event_id=""), BASE)
        samples.append((time.perf_counter() - began) * 1000)
    return samples
