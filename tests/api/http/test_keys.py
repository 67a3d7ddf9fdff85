"""API keys: required scopes, revocation and the audit."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select

from db.engine import Database
from db.tables import AuditRow
from referrals.access import api_keys
from referrals.access.audit import Actor
from tests.api.bodies import assert_problem, deposit
from tests.fixtures.api_client import caller

ACTOR = Actor(name="tests", request_id=None, reason="a test")
ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
NEEDED = {
    ("POST", "/v1/codes"): "codes:write",
    ("GET", "/v1/codes/ABC"): "codes:write",
    ("POST", "/v1/shares"): "codes:write",
    ("POST", "/v1/clicks"): "codes:write",
    ("POST", "/v1/events/signups"): "events:write",
    ("POST", "/v1/events/deposits"): "events:write",
    ("POST", "/v1/events/chargebacks"): "events:write",
    ("POST", "/v1/events/wagers"): "events:write",
    ("POST", "/v1/events/withdrawals"): "events:write",
    ("POST", "/v1/events/players"): "events:write",
    ("POST", "/v1/attributions/resolve"): "codes:write",
    ("POST", "/v1/attributions/confirm"): "codes:write",
    ("POST", "/v1/attributions/claim"): "codes:write",
    ("POST", "/v1/attributions/rebinds"): "reviews:decide",
    ("GET", "/v1/attributions/rebinds"): "reviews:decide",
    ("GET", "/v1/attributions"): "referrals:read",
    ("GET", "/v1/attributions/x"): "referrals:read",
    ("GET", "/v1/referrals"): "referrals:read",
    ("GET", f"/v1/referrals/{ID}"): "referrals:read",
    ("GET", f"/v1/referrals/{ID}/facts"): "referrals:read",
    ("GET", "/v1/players/p/invited"): "referrals:read",
    ("GET", "/v1/players/p/balance"): "rewards:read",
    ("GET", "/v1/players/p/statement"): "rewards:read",
    ("POST", "/v1/players/p/spend"): "events:write",
    ("POST", "/v1/players/p/unspend"): "events:write",
    ("GET", "/v1/rewards"): "rewards:read",
    ("GET", f"/v1/rewards/{ID}/evidence"): "rewards:read",
    ("GET", "/v1/reviews"): "reviews:decide",
    ("POST", f"/v1/reviews/{ID}/decision"): "reviews:decide",
    ("POST", "/v1/campaigns"): "campaigns:write",
    ("PUT", "/v1/campaigns/x"): "campaigns:write",
    ("POST", "/v1/campaigns/x/publish"): "campaigns:publish",
    ("POST", "/v1/campaigns/x/fund"): "campaigns:publish",
    ("GET", "/v1/ledger/verify"): "ledger:read",
    ("GET", "/v1/webhooks"): "webhooks:write",
    ("POST", "/v1/webhooks"): "webhooks:write",
    ("GET", f"/v1/webhooks/{ID}"): "webhooks:write",
    ("DELETE", f"/v1/webhooks/{ID}"): "webhooks:write",
    ("POST", f"/v1/webhooks/{ID}/rotate"): "webhooks:write",
    ("POST", f"/v1/webhooks/{ID}/enable"): "webhooks:write",
    ("GET", f"/v1/webhooks/{ID}/deliveries"): "webhooks:write",
    ("POST", f"/v1/webhooks/{ID}/deliveries/{ID}/retry"): "webhooks:write",
    ("GET", "/metrics"): "reports:read",
}


ALSO = {
    ("POST", "/v1/events/signups"): ("signups:write",),
    ("POST", "/v1/events/deposits"): ("deposits:write",),
    ("POST", "/v1/events/chargebacks"): ("chargebacks:write",),
    ("POST", "/v1/events/wagers"): ("wagers:write",),
    ("POST", "/v1/events/withdrawals"): ("withdrawals:write",),
    ("POST", "/v1/events/players"): ("players:write",),
    ("GET", "/v1/players/p/invited"): ("players:read",),
    ("GET", "/v1/players/p/balance"): ("players:read",),
    ("GET", "/v1/players/p/statement"): ("players:read",),
    ("POST", "/v1/players/p/spend"): ("spend:write",),
    ("POST", "/v1/players/p/unspend"): ("spend:write",),
}
"""Narrower scopes that open a route too."""


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer wrong", "Basic eDp5", "Bearer \xe9"]
)
@pytest.mark.parametrize(("method", "url"), NEEDED)
async def test_nothing_opens_without_a_good_key(
    client: AsyncClient, method: str, url: str, authorization: str
) -> None:
    headers = [(b"Authorization", authorization.encode("latin-1"))]
    answer = await client.request(method, url, headers=headers)
    assert_problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "url"), NEEDED)
async def test_a_key_opens_only_the_routes_of_its_scopes(
    app: FastAPI, database: Database, method: str, url: str
) -> None:
    needed = NEEDED[method, url]
    others = set(api_keys.SCOPES) - {needed, "admin"} - set(ALSO.get((method, url), ()))
    async with await client_with_scopes(app, database, others) as client:
        assert_problem(await client.request(method, url), 403, "missing_scope")
    async with await client_with_scopes(app, database, {needed}) as client:
        assert (await client.request(method, url)).status_code not in {401, 403}


@pytest.mark.parametrize(("method", "url"), ALSO)
async def test_a_narrower_scope_opens_its_route_and_no_other(
    app: FastAPI, database: Database, method: str, url: str
) -> None:
    (narrow,) = ALSO[method, url]
    async with await client_with_scopes(app, database, {narrow}) as client:
        for route, scopes in ALSO.items():
            answer = await client.request(*route)
            assert (answer.status_code == 403) is (narrow not in scopes), route


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


async def client_with_scopes(app: FastAPI, database: Database, scopes: set[str]) -> AsyncClient:
    async with database.transaction() as session:
        key = await api_keys.create_key(session, owner="tests", scopes=scopes, actor=ACTOR)
    return caller(app, key)
