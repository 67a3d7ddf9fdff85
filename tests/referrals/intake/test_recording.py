"""Facts recorded many at a time: each once, in one statement."""

import asyncio
from dataclasses import replace

from sqlalchemy import select, text

from db.engine import Database
from db.tables import FactRow, InboxRow
from domain.intake.facts import Deposit
from referrals.intake import facts
from referrals.intake.facts import RecordOutcome, Report
from tests.builders import a_player_id, deposit, usd
from tests.fixtures.database_activity import recorded_statements

ACCEPTED, DUPLICATE, CONFLICT = RecordOutcome


def report(fact: Deposit) -> Report:
    return Report(fact=fact, player_id=fact.player_id, reported_by="a-topic")


async def record(database: Database, *reported: Deposit) -> list[RecordOutcome]:
    async with database.autocommit() as session:
        return await facts.record_facts(session, [report(f) for f in reported], door="kafka")


async def test_records_500_facts_in_one_statement(database: Database) -> None:
    paid = [deposit() for _ in range(500)]
    with recorded_statements(database) as statements:
        outcomes = await record(database, *paid)
    assert outcomes == [ACCEPTED] * 500
    assert len(statements) == 1


async def test_looks_up_500_known_facts_in_one_more(database: Database) -> None:
    paid = [deposit() for _ in range(500)]
    await record(database, *paid)
    with recorded_statements(database) as statements:
        outcomes = await record(database, *paid)
    assert outcomes == [DUPLICATE] * 500
    assert len(statements) == 2


async def test_records_nothing_without_a_statement(database: Database) -> None:
    with recorded_statements(database) as statements:
        assert await record(database) == []
    assert statements == []


async def test_compares_a_fact_with_stored_ones_and_with_earlier_ones_of_its_batch(
    database: Database,
) -> None:
    stored, new = deposit(), deposit()
    await record(database, stored)
    outcomes = await record(
        database,
        new,
        new,
        replace(new, amount=usd(7)),
        stored,
        replace(stored, amount=usd(7)),
    )
    assert outcomes == [ACCEPTED, DUPLICATE, CONFLICT, DUPLICATE, CONFLICT]
    async with database.reading() as session:
        row = await session.get_one(FactRow, ("deposit", new.event_id))
    assert row.body["amount"]["minor"] == new.amount.minor
    assert (row.door, row.reported_by) == ("kafka", "a-topic")


async def test_puts_each_new_fact_into_the_inbox_once_in_the_order_of_the_batch(
    database: Database,
) -> None:
    player_id = a_player_id()
    paid = [deposit(player_id) for _ in range(20)]
    await record(database, *paid, *paid)
    query = select(InboxRow.event_id).where(InboxRow.player_id == player_id).order_by(InboxRow.id)
    async with database.reading() as session:
        assert list(await session.scalars(query)) == [fact.event_id for fact in paid]


async def test_batches_that_share_facts_in_another_order_make_no_deadlock(
    fresh_database: Database,
) -> None:
    first, middle, last = sorted((deposit() for _ in range(3)), key=lambda fact: fact.event_id)
    async with fresh_database.transaction() as holding:
        await facts.record_facts(holding, [report(middle)], door="kafka")
        batches = [
            asyncio.create_task(record(fresh_database, first, middle, last)),
            asyncio.create_task(record(fresh_database, last, middle, first)),
        ]
        await wait_until_all_are_blocked(fresh_database, len(batches))
    outcomes = [outcome for batch in batches for outcome in await batch]
    assert sorted(outcomes) == [ACCEPTED] * 2 + [DUPLICATE] * 4


async def wait_until_all_are_blocked(database: Database, count: int) -> None:
    query = text("""
        select count(*) from pg_stat_activity
        where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0
    """)
    async with asyncio.timeout(90), database.reading() as watching:
        while await watching.scalar(query) != count:
            await watching.rollback()
