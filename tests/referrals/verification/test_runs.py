"""Runs of verification: whole or incremental, stored, each beginning where a green one ended."""

import asyncio

import pytest
from sqlalchemy import select, text

from courier.verifier import explain
from db.engine import Database
from db.faults import DATABASE_FAULTS
from db.tables import VerifyRun
from referrals.verification import runs
from referrals.verification.runs import Mode
from referrals.verification.verify import VerificationReport, run_verification, store, verify
from tests.fixtures.databases import DatabaseUrls, open_database
from tests.referrals import reward_builders
from tests.referrals.reward_builders import CREDITED_AT
from tests.referrals.verification.conftest import SharedDatabase
from tests.referrals.verification.corruption import ACKNOWLEDGE, OTHER_ID, Corruption
from tests.referrals.verification.corruptions import CORRUPTIONS
from tests.referrals.verification.money_corruptions import TRANSFER
from tests.referrals.verification.stored import (
    StoredReferrals,
    failures_of,
    report_with,
    store_referrals,
)

TIMES = {
    "transfers": "recorded_at",
    "timeline": "recorded_at",
    "facts": "heard_at",
    "deliveries": "created_at",
}
BALANCE = "UPDATE accounts SET balance_minor = balance_minor + 1 WHERE book = 'available'"


@pytest.fixture
async def old_referral(fresh_database: Database, fresh_superuser: Database) -> None:
    """Store a rewarded referral to which nothing has happened for a day."""
    async with fresh_database.transaction() as session:
        await reward_builders.a_rewarded_referral(session)
    await let_a_day_pass(fresh_superuser)
    await execute(fresh_superuser, "UPDATE deliveries SET acknowledged_at = created_at")


@pytest.fixture(scope="module")
async def stored_since(shared: SharedDatabase) -> StoredReferrals:
    """Store referrals after a green run over what the template database holds."""
    await let_a_day_pass(shared.superuser)
    assert (await run(shared.application, Mode.WHOLE)).ok
    return await store_referrals(shared.application)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.check)
async def test_an_incremental_run_finds_a_corruption_of_what_changed(
    corruption: Corruption, stored_since: StoredReferrals, shared: SharedDatabase
) -> None:
    report, named = await report_with(corruption, stored_since, shared.superuser, Mode.INCREMENTAL)
    assert report.mode is Mode.INCREMENTAL
    assert named in failures_of(report)[corruption.check]


@pytest.mark.usefixtures("stored_referrals")
async def test_an_incremental_run_is_green_after_whole_lives(fresh_database: Database) -> None:
    reports = [await run(fresh_database) for _ in range(3)]
    assert [report.mode for report in reports] == [Mode.WHOLE, Mode.INCREMENTAL, Mode.INCREMENTAL]
    assert [failures_of(report) for report in reports] == [{}, {}, {}]


@pytest.mark.usefixtures("old_referral")
async def test_an_old_row_is_looked_at_by_whole_runs_and_once_red_by_every_run(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    assert failures_of(await run(fresh_database, Mode.WHOLE)) == {}
    await execute(fresh_superuser, BALANCE)

    before, whole, after = [
        failures_of(await run(fresh_database, mode))
        for mode in (Mode.INCREMENTAL, Mode.WHOLE, Mode.INCREMENTAL)
    ]

    assert before == {}
    assert set(whole) == {"accounts_equal_entries"}
    assert after == whole

    await execute(fresh_superuser, BALANCE.replace("+", "-"))
    assert failures_of(await run(fresh_database)) == {}


@pytest.mark.usefixtures("old_referral")
async def test_a_new_row_of_an_old_referral_is_looked_at_by_the_next_run(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    assert (await run(fresh_database, Mode.WHOLE)).ok
    planted = TRANSFER.format(id=OTHER_ID, movement="reinstate", resolves="NULL")
    await execute(fresh_superuser, planted.replace("r.id = :rewarded", "true"))

    assert OTHER_ID in failures_of(await run(fresh_database))["transfers_balance"]


@pytest.mark.usefixtures("old_referral")
async def test_a_red_run_does_not_move_the_position(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    green = await run(fresh_database, Mode.WHOLE)
    await execute(fresh_superuser, BALANCE)
    for mode in (Mode.WHOLE, Mode.INCREMENTAL):
        red = await run(fresh_database, mode)
        assert not red.ok
        assert red.position > green.position

    async with fresh_database.reading() as session:
        base = await runs.load_base(session)

    assert base is not None
    assert base.position == green.position


@pytest.mark.usefixtures("old_referral")
async def test_a_run_that_began_before_a_red_one_and_ends_after_it_does_not_make_it_forgotten(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    assert (await run(fresh_database, Mode.WHOLE)).ok
    async with fresh_database.reading() as session:
        slow = await verify(session, mode=Mode.INCREMENTAL, as_of=CREDITED_AT)
        await execute(fresh_superuser, BALANCE)
        assert set(failures_of(await run(fresh_database, Mode.WHOLE))) == {"accounts_equal_entries"}
    assert (await store(fresh_database, slow)).ok

    assert set(failures_of(await run(fresh_database))) == {"accounts_equal_entries"}

    await execute(fresh_superuser, BALANCE.replace("+", "-"))
    assert [(await run(fresh_database)).ok for _ in range(2)] == [True, True]
    await execute(fresh_superuser, BALANCE)
    assert failures_of(await run(fresh_database)) == {}


@pytest.mark.usefixtures("stored_referrals")
async def test_verifiers_at_once_do_each_other_no_harm(fresh_database: Database) -> None:
    reports = await asyncio.gather(
        *(run(fresh_database, mode) for mode in (Mode.WHOLE, Mode.INCREMENTAL) * 2)
    )
    assert [failures_of(report) for report in reports] == [{}] * 4
    assert failures_of(await run(fresh_database)) == {}


async def test_a_run_that_takes_too_long_says_so_and_is_not_stored(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    async with fresh_superuser.transaction() as session:
        await session.execute(text("LOCK TABLE timeline IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(DATABASE_FAULTS) as fault:
            await run_verification(fresh_database, mode=Mode.WHOLE, statement_timeout_s=0.1)
    assert "statement timeout" in explain(fault.value)
    async with fresh_database.reading() as session:
        assert await runs.newest_run(session) is None


async def test_a_fact_that_was_on_its_way_is_looked_at_again_however_late_it_arrives(
    stored_referrals: StoredReferrals, fresh_database: Database, fresh_superuser: Database
) -> None:
    await let_a_day_pass(fresh_superuser)
    assert (await run(fresh_database, Mode.WHOLE)).ok
    delivered = ACKNOWLEDGE.format(referral=f"'{stored_referrals.rewarded}'").replace("day", "hour")
    await execute(fresh_superuser, delivered)

    failures = failures_of(await run(fresh_database))

    assert failures == {"rewards_are_what_is_due": (str(stored_referrals.rewarded),)}


@pytest.mark.usefixtures("old_referral")
async def test_a_check_that_the_last_green_run_did_not_know_looks_at_everything(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    assert failures_of(await run(fresh_database, Mode.WHOLE)) == {}
    await execute(
        fresh_superuser,
        "UPDATE verify_runs SET checks = checks - 'accounts_equal_entries'",
        BALANCE,
    )
    assert set(failures_of(await run(fresh_database))) == {"accounts_equal_entries"}


@pytest.mark.usefixtures("stored_referrals")
async def test_a_run_is_stored_with_what_it_found(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    await execute(fresh_superuser, BALANCE)
    report = await run(fresh_database)
    async with fresh_database.reading() as session:
        stored = (await session.scalars(select(VerifyRun))).one()
    assert (stored.mode, stored.ok) == ("whole", False)
    assert stored.checks == {check.name: list(check.failures) for check in report.checks}
    assert stored.lag["undelivered"] == report.lag.undelivered
    assert stored.position < stored.started_at <= stored.finished_at


@pytest.mark.usefixtures("stored_referrals")
async def test_a_run_on_a_database_that_only_reads_is_not_stored(
    fresh_database: Database, fresh_superuser: Database, fresh_urls: DatabaseUrls
) -> None:
    role = "ALTER ROLE {role} IN DATABASE {name} SET default_transaction_read_only = on"
    async with fresh_database.reading() as session:
        user = (await session.execute(text("SELECT current_user"))).scalar_one()
    await execute(fresh_superuser, role.format(role=user, name=fresh_urls.name))
    async with open_database(fresh_urls.application) as standby:
        report = await run(standby)
    assert report.ok
    assert not report.is_stored


async def run(database: Database, mode: Mode = Mode.INCREMENTAL) -> VerificationReport:
    return await run_verification(database, mode=mode, as_of=CREDITED_AT)


async def let_a_day_pass(superuser: Database) -> None:
    shift = "UPDATE {0} SET {1} = {1} - interval '1 day'"
    shifts = [shift.format(table, column) for table, column in TIMES.items()]
    await execute(superuser, *shifts)


async def execute(superuser: Database, *statements: str) -> None:
    async with superuser.transaction() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            await session.execute(text(statement))
