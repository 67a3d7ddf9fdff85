"""A database of each test's own, whose invariants must hold after the test."""

from collections.abc import AsyncIterator

import pytest

from db.engine import Database
from sandbox.sportsbook.accounts.running import RunningAccounts
from tests.state import violated_invariants
from tests.wallet.world import WalletWorld


@pytest.fixture
async def world(fresh_database: Database, accounts: RunningAccounts) -> AsyncIterator[WalletWorld]:
    world = WalletWorld(fresh_database, accounts)
    yield world
    await world.close()
    assert await violated_invariants(fresh_database) == {}
