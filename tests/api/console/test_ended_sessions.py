"""Ends of a person's sessions, while others begin."""

import asyncio
from datetime import UTC, datetime

from db.engine import Database
from referrals.access.audit import Actor
from referrals.access.console import people, sessions
from referrals.access.console.roles import Role
from tests.builders import unique
from tests.fixtures.database_activity import wait_until_blocked


async def test_a_session_that_a_link_is_beginning_ends_with_the_others(database: Database) -> None:
    name, now = unique("Ann"), datetime.now(UTC)
    by = Actor(name="tests", request_id=None, reason="she left")
    async with database.transaction() as session:
        token = await people.create_link(session, name=name, role=Role.ADMIN, actor=by, now=now)

    async def end() -> int:
        async with database.transaction() as session:
            return await sessions.end_of_person(session, name, actor=by, now=now)

    async with database.transaction() as signing_in:
        person = await people.use_link(signing_in, token, now=now)
        assert person is not None
        cookie = await sessions.begin(signing_in, person, request_id="one", means="a link", now=now)
        ending = asyncio.create_task(end())
        await wait_until_blocked(database, signing_in)

    assert await ending == 1
    async with database.reading() as reading:
        assert await sessions.find_person(reading, cookie, now=now) is None
