"""Wakes of the courier: after the commit, in a transaction of their own, many at once."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from itertools import count

import pytest
from structlog.testing import capture_logs

from db.engine import Database
from db.notifications import FACTS, INVITATIONS, PAYMENTS, UPDATES, listen
from db.wakes import Waker, wake_after_commit
from referrals.intake.facts import record_fact
from tests.builders import deposit
from tests.fixtures.database_activity import recorded_statements
from tests.fixtures.databases import DatabaseUrls

PATIENCE_S = 60.0


@asynccontextmanager
async def heard(url: str) -> AsyncIterator[asyncio.Queue[str | None]]:
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    listening = asyncio.create_task(listen(url, queue.put_nowait))
    async with asyncio.timeout(PATIENCE_S):
        assert await queue.get() is None
        yield queue
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening


async def wake_and_fail(database: Database) -> None:
    async with database.transaction() as session:
        wake_after_commit(session, UPDATES)
        raise LookupError


async def test_a_wake_is_heard_after_the_commit_and_never_after_a_rollback(
    fresh_database: Database, fresh_urls: DatabaseUrls
) -> None:
    async with heard(fresh_urls.application) as queue:
        with pytest.raises(LookupError):
            await wake_and_fail(fresh_database)
        async with fresh_database.transaction() as session:
            wake_after_commit(session, PAYMENTS)

        assert await queue.get() == PAYMENTS


async def test_what_commits_by_itself_wakes_too(
    fresh_database: Database, fresh_urls: DatabaseUrls
) -> None:
    async with heard(fresh_urls.application) as queue:
        async with fresh_database.autocommit() as executor:
            wake_after_commit(executor, PAYMENTS)

        assert await queue.get() == PAYMENTS


async def test_a_fact_wakes_nobody_who_waits_for_updates(
    fresh_database: Database, fresh_urls: DatabaseUrls
) -> None:
    paid = deposit()
    async with heard(fresh_urls.application) as queue:
        async with fresh_database.autocommit() as executor:
            await record_fact(executor, paid, player_id=paid.player_id, door="http")
        assert await queue.get() == FACTS

        async with fresh_database.transaction() as session:
            wake_after_commit(session, PAYMENTS)
        assert await queue.get() == PAYMENTS


async def test_what_records_a_fact_notifies_nobody_itself(fresh_database: Database) -> None:
    paid = deposit()
    with recorded_statements(fresh_database) as statements:
        async with fresh_database.transaction() as session:
            await record_fact(session, paid, player_id=paid.player_id, door="http")

    assert any("insert into inbox" in statement for statement in statements)
    assert not any("pg_notify" in statement for statement in statements)


async def test_many_wakes_are_few_notifications() -> None:
    sent: list[Collection[str]] = []
    may_go_on = asyncio.Event()

    async def notify(payloads: Collection[str]) -> None:
        sent.append(payloads)
        await may_go_on.wait()

    waker = Waker(notify)
    waker.wake([UPDATES])
    await asyncio.sleep(0)
    for _ in range(100):
        waker.wake([UPDATES, PAYMENTS])
    may_go_on.set()
    await waker.close()

    assert sent == [[UPDATES], [UPDATES, PAYMENTS]]


async def test_a_wake_that_fails_is_lost_and_nothing_else() -> None:
    sent: list[Collection[str]] = []

    async def notify(payloads: Collection[str]) -> None:
        sent.append(payloads)
        if len(sent) == 1:
            raise OSError

    waker = Waker(notify)
    waker.wake([PAYMENTS])
    await asyncio.sleep(0)
    waker.wake([UPDATES])
    await waker.close()

    assert sent == [[PAYMENTS], [UPDATES]]


async def test_wakes_that_fail_again_and_again_are_logged_once() -> None:
    sent: asyncio.Queue[int] = asyncio.Queue()
    numbers = count(1)

    async def notify(_: Collection[str]) -> None:
        number = next(numbers)
        sent.put_nowait(number)
        if number != 3:
            raise KeyError("stored-secret")

    waker = Waker(notify, pause_s=0)
    with capture_logs() as logged:
        for number in range(1, 5):
            waker.wake([UPDATES])
            async with asyncio.timeout(PATIENCE_S):
                assert await sent.get() == number
        await waker.close()

    # One for the first two, and one for the failure behind a success.
    assert [(line["event"], line["error"]) for line in logged] == [("wakes_lost", "KeyError")] * 2


async def test_invitations_are_notified_of_less_often_and_delay_nothing_else() -> None:
    sent: list[Collection[str]] = []
    updates_sent = asyncio.Event()

    async def notify(payloads: Collection[str]) -> None:
        sent.append(payloads)
        if sent.count([UPDATES]) == 2:
            updates_sent.set()

    waker = Waker(notify, pause_s=0, low_priority_pause_s=PATIENCE_S)
    waker.wake([INVITATIONS])
    await asyncio.sleep(0)
    waker.wake([INVITATIONS, UPDATES])
    await asyncio.sleep(0)
    waker.wake([UPDATES])
    async with asyncio.timeout(PATIENCE_S):
        await updates_sent.wait()

    assert sent == [[INVITATIONS], [UPDATES], [UPDATES]]
    await waker.close()
    assert sent[3:] == [[INVITATIONS]]
