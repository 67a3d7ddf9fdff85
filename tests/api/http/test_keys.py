"""API keys: revocation and the audit; the matrix of tests/api/authorisation has their scopes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from api.app import build_app
from api.http.dependencies import current_time
from db.engine import Database
from db.tables import AuditRow
from referrals.access import api_keys
from referrals.access.audit import Actor
from runtime.settings import Settings
from tests.api.bodies import assert_problem, deposit, unique
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key, rotate_key

ACTOR = Actor(name="tests", request_id=None, reason="a test")


async def test_a_revoked_key_opens_nothing(app: FastAPI, database: Database) -> None:
    async with database.transaction() as session:
        key = await create_key(session, owner="revoked", scopes=["events:write"], actor=ACTOR)
    async with database.transaction() as session:
        known = {summary.owner: summary.id for summary in await api_keys.list_keys(session)}
        assert await api_keys.revoke(session, known["revoked"], ACTOR)
        assert not await api_keys.revoke(session, known["revoked"], ACTOR)
    async with caller(app, key) as client:
        answer = await client.post("/v1/events/deposits", json=deposit())
    assert_problem(answer, 401, "unauthorized")


async def test_making_and_revoking_a_key_is_in_the_audit(database: Database) -> None:
    ann = Actor(name="ann", request_id=None, reason="ticket 7")
    bob = Actor(name="bob", request_id=None, reason="it leaked")
    async with database.transaction() as session:
        await create_key(session, owner="audited", scopes=["admin"], actor=ann)
        known = {summary.owner: summary.id for summary in await api_keys.list_keys(session)}
        for _ in range(2):
            await api_keys.revoke(session, known["audited"], bob)
        query = (
            select(AuditRow)
            .where(AuditRow.subject == f"key:{known['audited']}")
            .order_by(AuditRow.id)
        )
        made, revoked = await session.scalars(query)
    assert (made.actor, made.action, made.reason) == ("ann", "key.create", "ticket 7")
    assert made.details == {"owner": "audited", "scopes": ["admin"]}
    assert (revoked.actor, revoked.action, revoked.reason) == ("bob", "key.revoke", "it leaked")


@pytest.mark.parametrize("scopes", [["everything"], ["admin", ""], []])
async def test_refuses_a_key_with_unknown_scopes(database: Database, scopes: list[str]) -> None:
    async with database.transaction() as session:
        with pytest.raises(ValueError, match="unknown scopes"):
            await create_key(session, owner="tests", scopes=scopes, actor=ACTOR)


class Clock:
    """Time of an app, as a test sets it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clocked_app(settings: Settings, database: Database, clock: Clock) -> FastAPI:
    app = build_app(settings, database)
    app.dependency_overrides[current_time] = clock
    return app


async def statuses(app: FastAPI, *keys: str) -> list[int]:
    answers = []
    for key in keys:
        async with caller(app, key) as client:
            answers.append((await client.get("/v1/referrals")).status_code)
    return answers


async def id_of(database: Database, owner: str) -> UUID:
    async with database.reading() as session:
        return next(k.id for k in await api_keys.list_keys(session) if k.owner == owner)


async def test_a_key_opens_until_it_expires(
    clocked_app: FastAPI, database: Database, clock: Clock
) -> None:
    end = clock.now + timedelta(days=1)
    async with database.transaction() as session:
        key = await create_key(
            session, owner="a", scopes=["referrals:read"], actor=ACTOR, expires_at=end
        )

    clock.now = end - timedelta(seconds=1)
    before = await statuses(clocked_app, key)
    clock.now = end

    # At once, although the cache has it.
    assert before + await statuses(clocked_app, key) == [200, 401]


async def test_both_keys_open_while_one_replaces_the_other(
    clocked_app: FastAPI, database: Database, clock: Clock
) -> None:
    owner, began = unique("rotated"), clock.now
    hour, day = timedelta(hours=1), timedelta(days=1)
    scopes = ["referrals:read", "wagers:write"]
    async with database.transaction() as session:
        old = await create_key(
            session,
            owner=owner,
            scopes=scopes,
            actor=ACTOR,
            source="casino",
            expires_at=began + 90 * day,
        )
    key_id = await id_of(database, owner)
    async with database.transaction() as session:
        new = await rotate_key(session, key_id, overlap=hour, actor=ACTOR, now=began)
        again = await rotate_key(session, key_id, overlap=hour, actor=ACTOR, now=began)

    assert new is not None
    assert again is None
    assert await statuses(clocked_app, old, new) == [200, 200]
    clock.now = began + hour
    assert await statuses(clocked_app, old, new) == [401, 200]
    clock.now = began + 91 * day
    assert await statuses(clocked_app, old, new) == [401, 401]
    async with database.reading() as session:
        one, other = [k for k in await api_keys.list_keys(session) if k.owner == owner]
    assert (other.scopes, other.source) == (one.scopes, one.source) == (tuple(scopes), "casino")
    assert [k.state(now=began + hour) for k in (one, other)] == ["replaced", "valid"]


async def test_a_key_that_ended_is_not_rotated(database: Database, clock: Clock) -> None:
    owner, now = unique("ended"), clock.now
    async with database.transaction() as session:
        await create_key(session, owner=owner, scopes=["admin"], actor=ACTOR, expires_at=now)
    key_id = await id_of(database, owner)
    async with database.transaction() as session:
        for each in (key_id, uuid4()):
            rotated = await rotate_key(session, each, overlap=timedelta(), actor=ACTOR, now=now)
            assert rotated is None


async def test_a_revoked_key_stays_so(database: Database) -> None:
    async with database.transaction() as session:
        await create_key(session, owner="revived", scopes=["admin"], actor=ACTOR)
    key_id = await id_of(database, "revived")
    async with database.transaction() as session:
        assert await api_keys.revoke(session, key_id, ACTOR)

    for value in (None, datetime.now(UTC)):
        with pytest.raises(DBAPIError, match="was revoked, and stays so"):
            await _set_revoked(database, key_id, value)


async def _set_revoked(database: Database, key_id: UUID, value: datetime | None) -> None:
    async with database.transaction() as session:
        statement = text("update api_keys set revoked_at = :value where id = :id")
        await session.execute(statement, {"value": value, "id": key_id})
