"""The cache of API keys: what it spares the database, and what no flood takes from it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from secrets import token_urlsafe

import pytest

from api.http.authorisation import KEY_CACHE_TTL, ApiKeyCache
from db.engine import Database, ReadSession
from runtime.settings import Settings
from tests.fixtures.api_client import a_key

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class CountingDatabase(Database):
    """Database that counts its readers."""

    times = 0

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSession]:
        self.times += 1
        async with super().reading() as session:
            yield session


@pytest.fixture
async def counting(settings: Settings) -> AsyncIterator[CountingDatabase]:
    async with CountingDatabase.open(settings.database_url) as database:
        yield database


def wrong_key() -> str:
    return f"rk_{token_urlsafe(32)}"


async def test_a_wrong_key_costs_no_query_twice(counting: CountingDatabase) -> None:
    cache, key = ApiKeyCache(counting), wrong_key()

    holders = [await cache.find_holder(key, now=NOW) for _ in range(3)]

    assert holders == [None, None, None]
    assert counting.times == 1
    await cache.find_holder(key, now=NOW + KEY_CACHE_TTL)
    assert counting.times == 2


@pytest.mark.parametrize("text", ["wrong", "rk_", "rk_" + "x" * 42, "rk_" + "x" * 44, "x" * 9000])
async def test_what_cannot_be_a_key_costs_no_query(counting: CountingDatabase, text: str) -> None:
    assert await ApiKeyCache(counting).find_holder(text, now=NOW) is None
    assert counting.times == 0


async def test_requests_at_once_with_one_key_share_a_query(
    counting: CountingDatabase, database: Database
) -> None:
    cache, key, wrong = ApiKeyCache(counting), await a_key(database), wrong_key()

    found = await asyncio.gather(*(cache.find_holder(each, now=NOW) for each in [key, wrong] * 20))

    assert found.count(None) == 20
    assert counting.times == 2


async def test_no_flood_of_keys_displaces_the_valid_ones(
    counting: CountingDatabase, database: Database
) -> None:
    cache = ApiKeyCache(counting, max_keys=3)
    valid = [await a_key(database) for _ in range(4)]
    await cache.find_holder(valid[0], now=NOW)
    for _ in range(10):
        await cache.find_holder(wrong_key(), now=NOW)
    asked = counting.times

    await cache.find_holder(valid[0], now=NOW)
    assert counting.times == asked

    # One valid key too many displaces the oldest, and no other.
    for key in valid[1:]:
        await cache.find_holder(key, now=NOW)
    for key in valid[1:]:
        await cache.find_holder(key, now=NOW)
    assert counting.times == asked + 3
