"""Referrals to verify and to corrupt, in a database of the test's or of the module's."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from db.engine import Database
from stack.postgres import PostgresCluster
from tests.fixtures.databases import database_copy, open_database
from tests.referrals.verification.stored import StoredReferrals, store_referrals


@dataclass(frozen=True, slots=True)
class SharedDatabase:
    """A database that a module's tests leave as it was."""

    application: Database
    superuser: Database


@pytest.fixture(scope="module")
async def shared(
    postgres: PostgresCluster, template_database: str
) -> AsyncIterator[SharedDatabase]:
    async with (
        database_copy(postgres, template_database) as copy,
        open_database(copy.application) as application,
        open_database(copy.superuser) as superuser,
    ):
        yield SharedDatabase(application, superuser)


@pytest.fixture
async def stored_referrals(fresh_database: Database) -> StoredReferrals:
    return await store_referrals(fresh_database)
