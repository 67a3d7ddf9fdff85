"""API keys: revocation and the audit; the matrix of tests/api/authorisation has their scopes."""

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from db.engine import Database
from db.tables import AuditRow
from referrals.access import api_keys
from referrals.access.audit import Actor
from tests.api.bodies import assert_problem, deposit
from tests.fixtures.api_client import caller

ACTOR = Actor(name="tests", request_id=None, reason="a test")


async def test_a_revoked_key_opens_nothing(app: FastAPI, database: Database) -> None:
    async with database.transaction() as session:
        key = await api_keys.create_key(
            session, owner="revoked", scopes=["events:write"], actor=ACTOR
        )
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
        await api_keys.create_key(session, owner="audited", scopes=["admin"], actor=ann)
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
            await api_keys.create_key(session, owner="tests", scopes=scopes, actor=ACTOR)
