"""A database of the acts alone, whose invariants must hold after the run, as must its events."""

from collections.abc import AsyncIterator

import pytest

from db.engine import Database
from stack.postgres import PostgresCluster
from tests.events import undeclared_events
from tests.fixtures.databases import database_copy, open_database
from tests.state import violated_invariants


@pytest.fixture(scope="session")
async def database(postgres: PostgresCluster, template_database: str) -> AsyncIterator[Database]:
    async with (
        database_copy(postgres, template_database) as urls,
        open_database(urls.application) as database,
    ):
        yield database
        assert await violated_invariants(database) == {}
        assert await undeclared_events(database) == []
