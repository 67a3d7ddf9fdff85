"""Migrations: up, down and up again, with a schema equal to the models."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from db.engine import Database
from db.migrate import downgrade, is_modelled, newest_revision, upgrade
from db.tables import INSERT_ONLY, Table
from domain.ledger.movements import Account, Book
from domain.money import Money
from referrals.campaigns.trial_campaign import publish_trial_campaign
from referrals.campaigns.versions import terms_from
from referrals.verification.verify import verify_database
from tests.builders import TERMS
from tests.fixtures.databases import DatabaseUrls, open_database

WORDS_OF_A_COLUMN = """
    SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name
"""


async def test_goes_up_and_down_and_up_again(empty_urls: DatabaseUrls) -> None:
    await asyncio.to_thread(upgrade, empty_urls.owner)
    await asyncio.to_thread(downgrade, empty_urls.owner, "base")
    async with open_database(empty_urls.owner) as database:
        assert await _tables(database) == {"alembic_version"}
    await asyncio.to_thread(upgrade, empty_urls.owner)
    async with open_database(empty_urls.application) as database:
        assert await _scalar(database, "SELECT count(*) FROM campaigns") == 0
    async with open_database(empty_urls.owner) as database:
        applied = await _scalar(database, "SELECT version_num FROM alembic_version")
        assert applied == newest_revision()


@pytest.mark.parametrize(
    "table", ["campaigns", "campaign_versions", "transfers", "entries", "accounts", "audit"]
)
async def test_a_migrated_database_has_no_campaign_and_no_money(
    empty_urls: DatabaseUrls, table: str
) -> None:
    await asyncio.to_thread(upgrade, empty_urls.owner)
    async with open_database(empty_urls.application) as database:
        count = f"SELECT count(*) FROM {table}"  # noqa: S608 - one of the names above
        assert await _scalar(database, count) == 0


async def test_a_trial_publishes_its_campaign_once(empty_urls: DatabaseUrls) -> None:
    await asyncio.to_thread(upgrade, empty_urls.owner)
    async with open_database(empty_urls.application) as database:
        published = []
        for _ in range(2):
            async with database.transaction() as session:
                published.append(await publish_trial_campaign(session, at=datetime.now(UTC)))
        assert published == [True, False]
        assert (await verify_database(database)).ok


async def test_makes_the_application_role_where_nobody_did(empty_urls: DatabaseUrls) -> None:
    await asyncio.to_thread(upgrade, empty_urls.superuser, application_role="another-app")
    async with open_database(empty_urls.superuser) as database:
        login = "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'another-app'"
        assert await _scalar(database, login) is False
        await asyncio.to_thread(
            downgrade, empty_urls.superuser, "base", application_role="another-app"
        )
        async with database.transaction() as session:
            await session.execute(text('DROP ROLE "another-app"'))


@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
async def test_the_models_and_the_schema_are_the_same(owner_database: Database) -> None:
    async with owner_database.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (table.name, column.name)
        for table in Table.metadata.sorted_tables
        for column in table.columns
        if hasattr(column.type, "enums")
    ],
)
async def test_a_column_takes_exactly_the_words_of_its_type(
    owner_database: Database, table: str, column: str
) -> None:
    enums: list[str] = Table.metadata.tables[table].columns[column].type.enums  # type: ignore[attr-defined]
    async with owner_database.reading() as session:
        rule = await session.scalar(text(WORDS_OF_A_COLUMN), {"name": f"ck_{table}_{column}"})
    assert set(rule.split("'")[1::2]) == set(enums)


async def test_every_insert_only_table_is_guarded(owner_database: Database) -> None:
    guarded = """
        SELECT array_agg(tgrelid::regclass::text) FROM pg_trigger WHERE tgname = 'insert_only'
    """
    assert set(await _scalar(owner_database, guarded)) == set(INSERT_ONLY)


async def test_a_trial_has_the_default_campaign_and_its_budget(
    fresh_database: Database,
) -> None:
    async with fresh_database.reading() as session:
        found = await session.execute(
            text("""
            SELECT c.id, c.slug, c.status, v.terms, v.budget_minor, a.id AS account, a.balance_minor
              FROM campaigns c
              JOIN campaign_versions v ON v.campaign_id = c.id AND v.version = c.version
              JOIN accounts a ON a.campaign_id = c.id
        """)
        )
        row = found.one()
    assert (row.slug, row.status) == ("default", "published")
    assert terms_from(row.terms) == TERMS
    assert Money(row.balance_minor, "USD") == Money(row.budget_minor, "USD")
    assert row.balance_minor == 10_000_000
    expected = Account(book=Book.CAMPAIGN, currency="USD", campaign_id=row.id)
    assert row.account == expected.id


async def _tables(database: Database) -> set[str]:
    names = "SELECT array_agg(tablename::text) FROM pg_tables WHERE schemaname = 'public'"
    return set(await _scalar(database, names))


async def _scalar(database: Database, query: str) -> Any:  # noqa: ANN401 - whatever was asked
    async with database.reading() as session:
        return await session.scalar(text(query))


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"include_name": is_modelled, "compare_server_default": True}
    )
    differences: list[Any] = compare_metadata(context, Table.metadata)
    return differences
