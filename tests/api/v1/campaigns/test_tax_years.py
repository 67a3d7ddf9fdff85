"""A player's tax year over HTTP: what it comes to, and who released it."""

from fastapi import FastAPI
from httpx import AsyncClient

from db.engine import Database
from referrals.access.audit import Actor
from tests.activities.referral_acts import acts_on, sign_up
from tests.api.bodies import assert_problem
from tests.builders import TERMS, a_player_id, deposit, usd
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key


async def test_shows_what_waits_for_a_release_and_lets_it_go_on(
    client: AsyncClient, database: Database
) -> None:
    signed_up = await sign_up(database, terms=TERMS)
    acts = acts_on(database, signed_up.row, thresholds={"USD": usd(999)})
    await acts.receives(deposit(acts.referee_id))
    await acts.credit()
    referrer = acts.row.referrer_id

    (reward,) = (await client.get("/v1/rewards", params={"player_id": referrer})).json()["items"]
    assert (reward["status"], reward["deferred_reason"]) == ("DEFERRED", "tax")
    assert reward["deferred_until"] == "2027-01-01T00:00:00Z"
    referral = (await client.get(f"/v1/referrals/{acts.row.id}")).json()
    assert [(hold["reason"], hold["detail"]) for hold in referral["holds"]] == [
        ("tax", ["referrer"])
    ]
    (invited,) = (await client.get(f"/v1/players/{referrer}/invited")).json()["items"]
    assert invited["reason_code"] == "tax_form"

    url = f"/v1/players/{referrer}"
    before = (await client.get(f"{url}/tax-year")).json()
    assert (before["totals"], before["released_by"]) == ([], None)
    released = await client.post(f"{url}/tax-release", json={"reason": "W-9 received"})
    assert released.status_code == 200, released.text
    again = await client.post(f"{url}/tax-release", json={"reason": "sent twice"})
    assert again.json() == released.json() == (await client.get(f"{url}/tax-year")).json()
    assert released.json()["released_by"].startswith("tests-")


async def test_nobody_releases_a_year_of_their_own(app: FastAPI, database: Database) -> None:
    owner, other = a_player_id(), a_player_id()
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with database.transaction() as session:
        key = await create_key(
            session, owner=f" {owner.upper()}", scopes=["reviews:decide"], actor=actor
        )
    async with caller(app, key) as insider:
        body = {"reason": "W-9 received"}
        refused = await insider.post(f"/v1/players/{owner}/tax-release", json=body)
        assert_problem(refused, 403, "own_referral")
        assert (await insider.post(f"/v1/players/{other}/tax-release", json=body)).is_success


async def test_a_release_needs_a_reason(client: AsyncClient) -> None:
    answer = await client.post(f"/v1/players/{a_player_id()}/tax-release", json={})
    assert_problem(answer, 422, "validation_failed", "reason")
