"""Facts that are reported at the same time: written together, each answered by itself."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.batches import MAX_BATCH, MAX_IN_FLIGHT
from db.engine import Database
from domain.intake.facts import Deposit, FactKind
from referrals.intake.batching import FactBatches
from referrals.intake.facts import RecordOutcome, Report, is_recorded
from tests.builders import deposit, usd
from tests.fixtures.database_activity import recorded_statements
from tests.fixtures.databases import DatabaseUrls

ACCEPTED, DUPLICATE, CONFLICT = RecordOutcome
READ_ONLY = text("""
    do $$ begin
        execute format(
            'alter database %I set default_transaction_read_only = on', current_database());
    end $$
""")


def report(fact: Deposit) -> Report:
    return Report(fact=fact, player_id=fact.player_id, reported_by="payments")


async def is_stored(database: Database, fact: Deposit) -> bool:
    async with database.reading() as session:
        return await is_recorded(session, FactKind.DEPOSIT, fact.event_id)


async def test_facts_that_come_while_others_are_written_are_written_together(
    database: Database,
) -> None:
    batches, paid = FactBatches(database, door="http"), [deposit() for _ in range(200)]

    with recorded_statements(database) as statements:
        outcomes = await asyncio.gather(*(batches.record(report(each)) for each in paid))

    assert outcomes == [ACCEPTED] * 200
    written = [one for one in statements if "insert into facts" in one]
    assert len(written) <= 200 // MAX_BATCH + MAX_IN_FLIGHT


async def test_copies_and_conflicts_that_come_together_are_told_apart(database: Database) -> None:
    batches, paid = FactBatches(database, door="http"), deposit()

    outcomes = await asyncio.gather(
        *(batches.record(report(each)) for each in (paid, paid, replace(paid, amount=usd(7))))
    )

    assert sorted(outcomes) == [ACCEPTED, CONFLICT, DUPLICATE]


async def test_a_fact_that_postgres_refuses_fails_alone(database: Database) -> None:
    batches, reports = FactBatches(database, door="http"), [report(deposit()) for _ in range(20)]
    reports[7] = replace(reports[7], player_id="longer than its column" * 10)

    outcomes = await asyncio.gather(*map(batches.record, reports), return_exceptions=True)

    assert isinstance(outcomes[7], DBAPIError)
    assert [*outcomes[:7], *outcomes[8:]] == [ACCEPTED] * 19


async def test_a_caller_that_goes_away_gives_up_its_answer_alone(database: Database) -> None:
    batches, paid = FactBatches(database, door="http"), [deposit() for _ in range(3)]
    waiting = [asyncio.create_task(batches.record(report(each))) for each in paid]
    await asyncio.sleep(0)
    waiting[0].cancel()

    assert await asyncio.gather(*waiting[1:]) == [ACCEPTED] * 2
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    assert await batches.record(report(paid[0])) is DUPLICATE
    assert await is_stored(database, paid[0])


async def test_a_fault_of_ours_is_answered_at_once_and_not_tried_for_each(
    fresh_superuser: Database, fresh_urls: DatabaseUrls
) -> None:
    async with fresh_superuser.autocommit() as superuser:
        await superuser.execute(READ_ONLY)
    async with Database.open(fresh_urls.application, pool_size=4) as database:
        batches = FactBatches(database, door="http")
        with recorded_statements(database) as statements:
            outcomes = await asyncio.gather(
                *(batches.record(report(deposit())) for _ in range(20)), return_exceptions=True
            )

    assert all(isinstance(outcome, DBAPIError) for outcome in outcomes)
    assert len([one for one in statements if "insert into facts" in one]) <= MAX_IN_FLIGHT + 1
