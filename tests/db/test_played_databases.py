"""Databases that earlier releases have played in: each is upgraded, downgraded and read.

`played/RELEASE.sql.gz` is a dump, by `pg_dump --no-owner --inserts`, of what that release's demo
left behind, with a referral that still waits at each stage beside it; without API keys.
"""

import asyncio
import gzip
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import pytest
from sqlalchemy import func, select, text

from courier.notifier import Notifier
from db.engine import Database
from db.migrate import downgrade, upgrade
from db.paging import PageRequest
from db.reporters import Reporter
from db.tables import FactRow, NotificationRow, OutboxRow, ReferralRow
from domain.intake.facts import FactKind
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from referrals.chain.checking import check_chain
from referrals.chain.linking import link_new_rows
from referrals.intake import facts
from referrals.intake.facts import RecordOutcome
from referrals.reporting import referral_views
from referrals.reporting.referral_views import ReferralFilter
from referrals.verification.verify import verify_database
from tests.fixtures.databases import DatabaseUrls, open_database

DUMPS: Final = sorted((Path(__file__).parent / "played").glob("*.sql.gz"))
REVISIONS: Final = {"0.2.0": "0012"}
"""The newest migration of each release."""


@pytest.fixture(params=DUMPS, ids=lambda dump: dump.name.removesuffix(".sql.gz"))
async def release(request: pytest.FixtureRequest, empty_urls: DatabaseUrls) -> str:
    """Restore a release's dump into the empty database and return the release."""
    dump: Path = request.param
    connection = await asyncpg.connect(empty_urls.owner.replace("+asyncpg", ""))
    try:
        await connection.execute(gzip.decompress(dump.read_bytes()).decode())
    finally:
        await connection.close()
    return dump.name.removesuffix(".sql.gz")


@pytest.mark.usefixtures("release")
async def test_chains_what_an_earlier_release_left_behind(empty_urls: DatabaseUrls) -> None:
    await asyncio.to_thread(upgrade, empty_urls.owner)
    async with open_database(empty_urls.application) as database:
        while await link_new_rows(database):
            pass
        report = await check_chain(database)

    assert report.ok, report.faults
    assert report.links > 0
    assert report.waiting == 0


async def test_keeps_its_books_through_every_migration(
    release: str, empty_urls: DatabaseUrls
) -> None:
    before = await _books(empty_urls)

    await asyncio.to_thread(upgrade, empty_urls.owner)
    assert await _failed_checks(empty_urls) == {}
    await asyncio.to_thread(downgrade, empty_urls.owner, REVISIONS[release])
    assert await _books(empty_urls) == before
    await asyncio.to_thread(upgrade, empty_urls.owner)

    assert await _failed_checks(empty_urls) == {}
    assert await _books(empty_urls) == before


@pytest.mark.usefixtures("release")
async def test_players_are_told_nothing_of_what_happened_in_that_release(
    empty_urls: DatabaseUrls,
) -> None:
    await asyncio.to_thread(upgrade, empty_urls.owner)
    async with open_database(empty_urls.application) as database:
        while await Notifier(database).notify():
            pass
        async with database.reading() as session:
            written = await session.scalar(select(func.count()).select_from(NotificationRow))
            events = await session.scalar(select(func.count()).select_from(OutboxRow))
    assert written == 0
    assert events


async def test_a_fact_of_that_release_that_is_sent_again_is_a_duplicate(
    release: str, empty_urls: DatabaseUrls
) -> None:
    await asyncio.to_thread(upgrade, empty_urls.owner)
    async with open_database(empty_urls.application) as database, database.transaction() as session:
        stored = (await session.scalars(select(FactRow))).all()
        outcomes = {
            await facts.record_fact(
                session,
                facts.fact_of(row.kind, row.body),
                player_id=row.player_id,
                door="http",
                reporter=Reporter("payments"),
            )
            for row in stored
        }
        kinds = {row.kind for row in stored}
    assert kinds >= {FactKind.DEPOSIT, FactKind.CHARGEBACK}, release
    assert outcomes == {RecordOutcome.DUPLICATE}


async def test_shows_what_its_held_and_deferred_rewards_wait_for(
    release: str, empty_urls: DatabaseUrls
) -> None:
    await asyncio.to_thread(upgrade, empty_urls.owner)
    shown = set()
    async with open_database(empty_urls.application) as database, database.reading() as session:
        for stage in (Stage.HELD, Stage.DEFERRED):
            found = await referral_views.list_referrals(
                session, ReferralFilter(stage=stage), PageRequest(limit=50)
            )
            shown |= {(stage, hold.reason) for view in found.items for hold in view.holds}
            assert all(view.holds for view in found.items), release
    assert shown >= {(Stage.HELD, HoldReason.REVIEW), (Stage.DEFERRED, HoldReason.FUNDS)}


async def test_shows_the_code_of_every_reason(release: str, empty_urls: DatabaseUrls) -> None:
    await asyncio.to_thread(upgrade, empty_urls.owner)
    codes = set()
    async with open_database(empty_urls.application) as database, database.reading() as session:
        for row in (await session.scalars(select(ReferralRow))).all():
            shown = (await referral_views.view_referral(session, row)).timeline
            assert all(bool(change.reason) == bool(change.reason_code) for change in shown), release
            codes |= {change.reason_code for change in shown}
    assert codes >= {"funds", "review", "deposit_taken_back", "hold_period"}


async def test_has_a_referral_at_every_stage_that_waits(
    release: str, empty_urls: DatabaseUrls
) -> None:
    async with open_database(empty_urls.owner) as database:
        stages = await _column(database, "SELECT DISTINCT stage FROM referrals")
    waiting = {"INVITED", "SIGNED_UP", "HELD", "DEFERRED", "REWARDED", "REVERSED"}
    assert waiting <= set(stages), release


async def _books(urls: DatabaseUrls) -> list[str]:
    """Return every account with its balance, every transfer, every referral with its stage."""
    query = """
        SELECT id || ' ' || balance_minor FROM accounts
        UNION ALL SELECT id || ' ' || movement || ' ' || amount_minor FROM transfers
        UNION ALL SELECT id || ' ' || stage FROM referrals ORDER BY 1
    """
    async with open_database(urls.owner) as database:
        return await _column(database, query)


async def _failed_checks(urls: DatabaseUrls) -> dict[str, tuple[str, ...]]:
    async with open_database(urls.application) as database:
        played_at = await _played_at(database)
        report = await verify_database(database, as_of=played_at, settling=timedelta(0))
    return {check.name: check.failures for check in report.checks if not check.ok}


async def _played_at(database: Database) -> datetime:
    """Return when the last referral of the dump moved."""
    query = text("SELECT max(recorded_at) FROM timeline")
    async with database.reading() as session:
        played_at: datetime = (await session.execute(query)).scalar_one()
    return played_at


async def _column(database: Database, query: str) -> list[str]:
    async with database.reading() as session:
        return [str(value) for value in await session.scalars(text(query))]
