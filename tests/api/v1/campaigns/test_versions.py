"""Versions of campaigns: four fields make a draft, and a second person publishes what changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from db.engine import Database
from referrals.access.audit import Actor
from referrals.verification.verify import verify_database
from runtime.settings import Settings
from tests.api.bodies import (
    assert_problem,
    campaign,
    create_code,
    publish_campaign,
    terms,
    unique,
)
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key

URL = "/v1/campaigns"
REWARD = {"minor": 1500, "currency": "USD"}


def minimal(**changes: object) -> dict[str, Any]:
    return {
        "slug": unique("four"),
        "name": "Four fields",
        "budget": {"minor": 100_000, "currency": "USD"},
        "terms": {"referrer_reward": REWARD},
        **changes,
    }


async def test_a_draft_of_four_fields_has_the_values_of_default(client: AsyncClient) -> None:
    drafted = await client.post(URL, json=minimal())
    assert drafted.status_code == 201, drafted.text
    default = (await client.get(f"{URL}/default")).json()
    given = {"slug", "name", "status", "budget", "available_budget", "terms", "created_at"}
    assert {name: drafted.json()[name] for name in default.keys() - given} == {
        name: default[name] for name in default.keys() - given
    }
    assert drafted.json()["terms"] == default["terms"] | {"referrer_reward": REWARD}
    assert drafted.json()["time_zone"] == "UTC"
    assert (drafted.json()["priority"], drafted.json()["currencies"]) == (0, [])


async def test_a_draft_in_another_currency_has_no_minimum_deposit(client: AsyncClient) -> None:
    euros = {"minor": 1000, "currency": "EUR"}
    body = minimal(budget=euros, terms={"referrer_reward": euros})
    drafted = (await client.post(URL, json=body)).json()
    assert drafted["terms"]["minimum_deposit"] == {"minor": 0, "currency": "EUR"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"priority": 1.5}, "priority"),
        ({"priority": 1001}, "priority"),
        ({"currencies": [{"minor": 1, "currency": "USD"}]}, "currencies[0].currency"),
        ({"currencies": [{"minor": 1, "currency": "EUR"}] * 2}, "currencies[1].currency"),
        ({"expected_rewards": 0}, "expected_rewards"),
        ({"terms": {}}, "terms.referrer_reward"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_refuses_a_wrong_option(
    client: AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await client.post(URL, json=minimal() | change)
    assert_problem(answer, 422, "validation_failed", field)


async def test_a_revision_of_a_published_campaign_changes_nothing_until_it_is_published(
    client: AsyncClient,
) -> None:
    slug = await publish_campaign(client)
    before = (await client.get(f"{URL}/{slug}")).json()
    raised = campaign(
        slug=slug,
        name="Spring, but more",
        destination="https://book.example/more",
        ends_at="2090-01-01T00:00:00Z",
        terms=terms(referrer_reward=REWARD),
    )
    proposed = await client.put(f"{URL}/{slug}", json=raised)
    assert proposed.json() == before | {"proposal": {"version": 2}}

    live = (await client.post(f"{URL}/{slug}/publish")).json()
    assert (live["version"], live["proposal"]) == (2, None)
    assert (live["name"], live["ends_at"]) == ("Spring, but more", "2090-01-01T00:00:00Z")
    assert live["terms"]["referrer_reward"] == REWARD
    assert live["available_budget"] == before["available_budget"]
    assert_problem(await client.post(f"{URL}/{slug}/publish"), 409, "invalid_transition")


async def test_a_paused_campaign_stays_paused_when_its_proposal_is_published(
    client: AsyncClient, database: Database
) -> None:
    before = await unsigned(database)
    slug = await publish_campaign(client)
    await client.post(f"{URL}/{slug}/pause")
    await client.put(f"{URL}/{slug}", json=campaign(slug=slug, name="Later"))
    answer = (await client.post(f"{URL}/{slug}/publish")).json()
    assert (answer["status"], answer["version"], answer["name"]) == ("paused", 2, "Later")
    assert await unsigned(database) == before


async def test_whoever_wrote_a_version_last_does_not_publish_it(
    app: FastAPI, database: Database
) -> None:
    ann, also_ann, ben = [
        await _caller(app, database, owner) for owner in ("Ann Ode", " ann  ODE ", "Ben Ode")
    ]
    body = minimal()
    link = f"{URL}/{body['slug']}"
    await ann.post(URL, json=body)
    for person in (ann, also_ann):
        assert_problem(await person.post(f"{link}/publish"), 403, "second_person_required")
    assert (await ann.get(link)).json()["status"] == "draft"
    assert (await ben.post(f"{link}/publish")).status_code == 200

    await ben.put(link, json=body | {"name": "Of Ben"})
    assert_problem(await ben.post(f"{link}/publish"), 403, "second_person_required")
    assert (await also_ann.post(f"{link}/publish")).json()["name"] == "Of Ben"


async def test_a_later_proposal_replaces_the_earlier_one_and_a_withdrawn_one_is_gone(
    client: AsyncClient,
) -> None:
    slug = await publish_campaign(client)
    link = f"{URL}/{slug}"
    assert_problem(await client.post(f"{link}/withdraw"), 409, "no_proposal")
    await client.put(link, json=campaign(slug=slug, name="Second"))
    replaced = await client.put(link, json=campaign(slug=slug, name="Third"))
    assert replaced.json()["proposal"] == {"version": 3}
    withdrawn = await client.post(f"{link}/withdraw", json={"reason": "not now"})
    assert (withdrawn.json()["proposal"], withdrawn.json()["version"]) == (None, 1)
    assert_problem(await client.post(f"{link}/publish"), 409, "invalid_transition")
    fourth = await client.put(link, json=campaign(slug=slug, name="Fourth"))
    assert fourth.json()["proposal"] == {"version": 4}
    assert (await client.post(f"{link}/publish")).json()["name"] == "Fourth"


async def test_the_versions_say_who_wrote_and_published_each_and_what_it_changes(
    client: AsyncClient,
) -> None:
    slug = await publish_campaign(client)
    link = f"{URL}/{slug}"
    await client.put(link, json=campaign(slug=slug, name="Second"))
    raised = campaign(slug=slug, terms=terms(referrer_reward=REWARD), priority=3)
    await client.put(link, json=raised)
    await client.post(f"{link}/publish")
    await client.put(link, json=raised | {"ends_at": "2090-01-01T00:00:00Z"})

    items = (await client.get(f"{link}/versions")).json()["items"]
    assert [item["status"] for item in items] == ["retired", "withdrawn", "published", "proposed"]
    assert [bool(item["published_by"]) for item in items] == [True, False, True, False]
    assert items[0]["written_by"].startswith("tests-")
    assert items[0]["published_by"].startswith("approver-")
    assert items[0]["written_at"] <= items[0]["published_at"]
    assert {"field": "name", "before": None, "after": "Spring offer"} in items[0]["changes"]
    assert items[1]["changes"] == [{"field": "name", "before": "Spring offer", "after": "Second"}]
    assert items[2]["changes"] == [
        {"field": "terms.referrer_reward.minor", "before": 1000, "after": 1500},
        {"field": "priority", "before": 0, "after": 3},
    ]
    assert [change["field"] for change in items[3]["changes"]] == ["ends_at"]
    assert_problem(await client.get(f"{URL}/{unique('no')}/versions"), 404, "unknown_campaign")


async def test_an_ended_campaign_drops_its_proposal(client: AsyncClient) -> None:
    slug = await publish_campaign(client)
    await client.put(f"{URL}/{slug}", json=campaign(slug=slug, name="Second"))
    assert (await client.post(f"{URL}/{slug}/end")).json()["proposal"] is None
    assert_problem(await client.post(f"{URL}/{slug}/publish"), 409, "invalid_transition")


async def test_what_does_not_pass_the_checks_is_not_published(client: AsyncClient) -> None:
    over = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    body = campaign(ends_at=over, expected_rewards=501)
    await client.post(URL, json=body)
    refused = await client.post(f"{URL}/{body['slug']}/publish")
    assert_problem(refused, 422, "validation_failed", "ends_at", "budget.minor")
    assert (await client.get(f"{URL}/{body['slug']}")).json()["status"] == "draft"
    fitting = body | {"ends_at": None, "expected_rewards": 500}
    await client.put(f"{URL}/{body['slug']}", json=fitting)
    assert (await client.post(f"{URL}/{body['slug']}/publish")).status_code == 200


async def test_an_unbounded_percentage_is_not_published_where_the_cost_is_expected(
    client: AsyncClient,
) -> None:
    usd_50 = {"minor": 5000, "currency": "USD"}
    for most, expected, status in ((None, 10, 422), (None, None, 200), (usd_50, 10, 200)):
        reward = {"to": "referrer", "amount": {"percent": "10", "maximum": most}}
        body = campaign(terms={"rewards": [reward]}, expected_rewards=expected)
        assert (await client.post(URL, json=body)).status_code == 201
        answer = await client.post(f"{URL}/{body['slug']}/publish")
        assert answer.status_code == status, answer.text
        if status == 422:
            assert_problem(answer, 422, "validation_failed", "terms.rewards[0].amount")


async def test_a_destination_elsewhere_and_sums_above_the_ceilings_are_not_published(
    settings: Settings, database: Database, approver_key: str, client: AsyncClient
) -> None:
    from api.app import build_app  # noqa: PLC0415

    strict = settings.model_copy(
        update={
            "destination_hosts": "book.example, other.example",
            "largest_reward_minor": 999,
            "largest_budget_minor": 499_999,
        }
    )
    body = campaign(
        destination="https://book.example.evil.example/",
        terms=terms(referee_reward={"minor": 999, "currency": "USD"}),
    )
    await client.post(URL, json=body)
    async with caller(build_app(strict, database), approver_key) as approver:
        refused = await approver.post(f"{URL}/{body['slug']}/publish")
        assert_problem(refused, 422, "validation_failed")
        assert [error["field"] for error in refused.json()["errors"]] == [
            "destination",
            "terms.referrer_reward.minor",
            "budget.minor",
        ]
        ten = {"minor": 999, "currency": "USD"}
        fitting = body | {"budget": ten, "terms": terms(referrer_reward=ten)}
        fitting["destination"] = "https://www.book.example/signup"
        await client.put(f"{URL}/{body['slug']}", json=fitting)
        assert (await approver.post(f"{URL}/{body['slug']}/publish")).status_code == 200


async def test_each_currency_has_a_budget_that_is_funded_once(
    client: AsyncClient, database: Database
) -> None:
    before = await unsigned(database)
    yen, euros = {"minor": 9000, "currency": "JPY"}, {"minor": 700, "currency": "EUR"}
    body = campaign(currencies=[yen])
    link = f"{URL}/{body['slug']}"
    await client.post(URL, json=body)
    published = (await client.post(f"{link}/publish")).json()
    assert (published["currencies"], published["available_currencies"]) == ([yen], [yen])

    more = {"amount": {"minor": 1, "currency": "JPY"}, "reference": "one more"}
    assert (await client.post(f"{link}/fund", json=more)).status_code == 200
    refused = await client.put(link, json=body | {"currencies": [yen | {"minor": 1}]})
    assert_problem(refused, 409, "budget_is_funded")
    await client.put(link, json=body | {"currencies": [yen, euros]})
    answer = (await client.post(f"{link}/publish")).json()
    assert answer["available_currencies"] == [yen | {"minor": 9001}, euros]
    assert await unsigned(database) == before


async def test_the_body_of_a_campaign_may_be_up_to_a_mebibyte(client: AsyncClient) -> None:
    large = minimal(link={"no_inducement_in": ["DE"] * 100_000})
    assert_problem(await client.post(URL, json=large), 422, "validation_failed")
    larger = minimal(link={"no_inducement_in": ["DE"] * 300_000})
    assert_problem(await client.post(URL, json=larger), 413, "body_too_large")


async def test_an_offer_that_has_not_begun_is_not_called_over(client: AsyncClient) -> None:
    begins = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    slug = await publish_campaign(client, starts_at=begins)
    code = await create_code(client, slug)
    page = await client.get(f"/r/{code}", headers={"User-Agent": "Mozilla/5.0 Firefox/140.0"})
    assert page.status_code == 404
    assert "begin" in page.text
    click = {"code": code, "visitor_id": unique("visitor"), "platform": "web"}
    assert_problem(await client.post("/v1/clicks", json=click), 409, "campaign_not_begun")
    await client.post(f"{URL}/{slug}/pause")
    assert_problem(await client.post("/v1/clicks", json=click), 410, "campaign_paused")
    await client.post(f"{URL}/{slug}/resume")
    await client.post(f"{URL}/{slug}/end")
    assert_problem(await client.post("/v1/clicks", json=click), 410, "campaign_ended")


async def unsigned(database: Database) -> set[str]:
    """Return what verification finds that nobody signed; other tests leave some of it behind."""
    report = await verify_database(database)
    signed = ("campaign_acts_are_signed", "versions_are_signed", "fundings_are_signed")
    return {one for check in report.checks if check.name in signed for one in check.failures}


async def _caller(app: FastAPI, database: Database, owner: str) -> AsyncClient:
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with database.transaction() as session:
        key = await create_key(session, owner=owner, scopes=["admin"], actor=actor)
    return caller(app, key)
