"""The API over a database in which rewards were credited, taken back, owed, and given again."""

from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient

from api.app import build_app
from runtime.settings import Settings
from stack.postgres import PostgresCluster
from tests.activities.queues import MARKETER
from tests.builders import unique
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key
from tests.played_reports import Played, play


@pytest.fixture(scope="package")
async def played(postgres: PostgresCluster, template_database: str) -> AsyncIterator[Played]:
    async with play(postgres, template_database) as played:
        yield played


@pytest.fixture(scope="package")
async def reader(settings: Settings, played: Played) -> AsyncIterator[AsyncClient]:
    """Call the API of the played database with the right to read reports alone."""
    async with played.database.transaction() as session:
        key = await create_key(
            session, owner=unique("marketer"), scopes=["reports:read"], actor=MARKETER
        )
    app = build_app(
        settings.model_copy(update={"database_url": played.urls.application}), played.database
    )
    async with caller(app, key) as client:
        yield client
