"""Limits are exact under many connections, and hold while Postgres cannot count."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import delete
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from api.http.dependencies import current_time
from db.engine import Database, StatementExecutor
from db.tables import RateWindow
from runtime.settings import Settings
from tests.api.bodies import create_code
from tests.api.http.test_rate_limits import app_with_limits, follow, unique_network_ip
from tests.fixtures.api_client import browser

NOWHERE = "postgresql+asyncpg://nobody@127.0.0.1:9/nothing"


class CountingDatabase(Database):
    """Database that counts its attempts to count."""

    times = 0

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[StatementExecutor]:
        self.times += 1
        async with super().autocommit() as connection:
            yield connection


class StuckDatabase(Database):
    """Database that answers nobody."""

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[StatementExecutor]:
        await asyncio.Event().wait()
        yield None  # type: ignore[misc]


class GatedDatabase(Database):
    """Database that answers once a number of visits wait for it."""

    def __init__(self, url: str, *, opens_at: int) -> None:
        super().__init__(url, pool_size=3)
        self._missing = opens_at
        self._open = asyncio.Event()

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[StatementExecutor]:
        self._missing -= 1
        if self._missing == 0:
            self._open.set()
        await self._open.wait()
        async with super().autocommit() as connection:
            yield connection


class AnswerRecorder:
    """Middleware that records the statuses of answers in the order in which they are sent."""

    def __init__(self, app: ASGIApp, answered: list[int]) -> None:
        self._app = app
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def record(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answered.append(message["status"])
            await send(message)

        await self._app(scope, receive, record)


def counted_by(
    counter: Database, settings: Settings, database: Database, rules: str = ""
) -> FastAPI:
    """Return an app whose limits another database counts."""
    app = app_with_limits(settings, database, rules)
    app.state.limiter = app_with_limits(settings, counter, rules).state.limiter
    return app


async def try_codes(
    app: FastAPI, address: str, codes: list[str], *, connections: int
) -> Counter[int]:
    """Request each code as a new visitor; return how many answers had each status."""
    statuses: Counter[int] = Counter()
    waiting = iter(codes)
    async with browser(app, ip=address) as visitor:

        async def connect() -> None:
            for code in waiting:
                visitor.cookies.clear()
                statuses[(await visitor.get(f"/r/{code}")).status_code] += 1

        await asyncio.gather(*(connect() for _ in range(connections)))
    return statuses


def wrong_codes(number: int) -> list[str]:
    return [f"NOBODYS{n}" for n in range(number)]


@pytest.mark.parametrize("connections", [1, 30, 200])
async def test_as_many_wrong_codes_pass_as_the_limit_says_however_many_connections_try(
    client: AsyncClient, settings: Settings, database: Database, connections: int
) -> None:
    app = app_with_limits(settings, database, "link.address.misses=10/hour")
    address, known = unique_network_ip(), await create_code(client)

    codes = wrong_codes(connections + 20)
    wrong = await try_codes(app, address, codes, connections=connections)
    existing = await try_codes(app, address, [known] * 5, connections=connections)

    assert wrong == {404: 10, 429: connections + 10}
    assert existing == {429: 5}


async def test_many_requests_at_once_do_not_tell_which_codes_exist(
    client: AsyncClient, settings: Settings, database: Database
) -> None:
    app = app_with_limits(settings, database, "link.address.misses=5/hour")
    app.state.database = gate = GatedDatabase(settings.database_url, opens_at=80)
    answered: list[int] = []
    app.add_middleware(AnswerRecorder, answered=answered)
    code = await create_code(client)

    codes = [*wrong_codes(40), *[code] * 40]
    await try_codes(app, unique_network_ip(), codes, connections=80)

    assert answered.count(404) == 5
    last_miss = len(answered) - answered[::-1].index(404)
    assert set(answered[last_miss:]) <= {429}
    await gate.close()


async def test_what_is_over_its_limit_costs_no_query(
    settings: Settings, database: Database
) -> None:
    rules = "link.address.misses=1/hour"
    counting = CountingDatabase(settings.database_url, pool_size=1)
    app = counted_by(counting, settings, database, rules)
    address = unique_network_ip()

    await follow(app, address, "NOBODYS1")
    before = counting.times
    answers = await follow(app, address, *wrong_codes(5))

    assert {answer.status_code for answer in answers} == {429}
    assert counting.times == before
    await counting.close()


async def test_honest_visitors_pass_while_limits_cannot_be_counted(
    client: AsyncClient, settings: Settings, database: Database
) -> None:
    rules = "link.address=2/hour, link.address.misses=1/hour"
    away = Database(NOWHERE, pool_size=1)
    app = counted_by(away, settings, database, rules)
    code, guesser = await create_code(client), unique_network_ip()

    guesses = await follow(app, guesser, "NOBODYS1", "NOBODYS2", code)
    honest = await follow(app, unique_network_ip(), code, code, code)

    assert [answer.status_code for answer in guesses] == [404, 429, 429]
    assert [answer.status_code for answer in honest] == [302, 302, 429]
    await away.close()


@pytest.mark.parametrize("connections", [30, 200])
async def test_limits_hold_while_postgres_does_not_answer(
    settings: Settings, database: Database, connections: int
) -> None:
    rules = "link.address.misses=10/hour"
    stuck = StuckDatabase(settings.database_url, pool_size=1)
    app, now = counted_by(stuck, settings, database, rules), datetime.now(UTC)
    app.dependency_overrides[current_time] = lambda: now

    codes = wrong_codes(connections + 20)
    with capture_logs() as logs:
        wrong = await try_codes(app, unique_network_ip(), codes, connections=connections)

    assert wrong == {404: 10, 429: connections + 10}
    warnings = [log for log in logs if log["event"] == "limits_unavailable"]
    assert len(warnings) == 1


async def test_the_last_known_count_is_kept_when_counting_fails(
    client: AsyncClient, settings: Settings, database: Database
) -> None:
    rules = "link.address.misses=3/hour"
    app, other = (app_with_limits(settings, database, rules) for _ in range(2))
    address, code = unique_network_ip(), await create_code(client)
    await follow(other, address, "NOBODYS1", "NOBODYS2")
    await follow(app, address, "NOBODYS3")

    async with database.transaction() as session:
        await session.execute(delete(RateWindow))
    answers = await follow(app, address, code, "NOBODYS4")

    assert [answer.status_code for answer in answers] == [429, 429]


async def test_not_every_request_waits_for_limits_that_cannot_be_counted(
    client: AsyncClient, settings: Settings, database: Database
) -> None:
    away, now = CountingDatabase(NOWHERE, pool_size=1), datetime.now(UTC)
    app = counted_by(away, settings, database)
    app.dependency_overrides[current_time] = lambda: now
    code = await create_code(client)

    await follow(app, unique_network_ip(), code, code, code)
    soon = away.times
    now += timedelta(seconds=2)
    await follow(app, unique_network_ip(), code)

    assert (soon, away.times) == (1, 2)
    await away.close()
