"""A notifier that has begun."""

import pytest

from courier.notifier import Notifier
from db.engine import Database
from tests.courier.inbox_of_players import notify


@pytest.fixture
async def notifier(fresh_database: Database) -> Notifier:
    """Return one that has begun."""
    return await notify(fresh_database)
