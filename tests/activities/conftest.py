"""A database in which only acts moved anything, so that all of it must hold in the end."""

from collections.abc import AsyncIterator

import pytest

from db.engine import Database
from stack.postgres import Postgres
from tests.fixtures.databases import connected, copied
from tests.state import violated_invariants


@pytest.fixture(scope="session")
async def database(postgres: Postgres, migrated: str) -> AsyncIterator[Database]:
    async with copied(postgres, migrated) as urls, connected(urls.application) as database:
        yield database
        assert await violated_invariants(database) == {}
