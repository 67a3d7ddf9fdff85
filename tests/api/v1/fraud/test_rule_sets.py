"""Rule sets as people change them: drafted, tested, published by a second person, rolled back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import select

from api.app import build_app
from db.engine import Database
from db.tables import AuditRow
from domain.fraud.rule_sets import BASE
from domain.fraud.rule_table import RULES
from referrals.access.audit import Actor
from runtime.settings import Settings
from tests.api.bodies import assert_problem
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key

URL = "/v1/rule-sets"
WINDOW = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}
SCOPES = ["rules:write", "rules:publish"]


@pytest.fixture
def own_app(settings: Settings, fresh_database: Database) -> FastAPI:
    """Serve a database of its own: which rule set is live concerns every test in it."""
    return build_app(settings, fresh_database)


async def person(app: FastAPI, database: Database, owner: str, *scopes: str) -> AsyncClient:
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with database.transaction() as session:
        key = await create_key(session, owner=owner, scopes=scopes or SCOPES, actor=actor)
    return caller(app, key)


@pytest.fixture
async def ann(own_app: FastAPI, fresh_database: Database) -> AsyncIterator[AsyncClient]:
    async with await person(own_app, fresh_database, "Ann Lee") as client:
        yield client


@pytest.fixture
async def ben(own_app: FastAPI, fresh_database: Database) -> AsyncIterator[AsyncClient]:
    async with await person(own_app, fresh_database, "Ben Ode") as client:
        yield client


def body(**changes: object) -> dict[str, Any]:
    return {"based_on": "1", "reason": "a trial", "weights": {"denied": 90}, **changes}


async def draft(client: AsyncClient, **changes: object) -> str:
    answer = await client.post(URL, json=body(**changes))
    assert answer.status_code == 201, answer.text
    version: str = answer.json()["version"]
    return version


async def step(client: AsyncClient, version: str, name: str) -> Response:
    return await client.post(f"{URL}/{version}/{name}")


async def run_backtest(client: AsyncClient, version: str) -> dict[str, Any]:
    answer = await client.post(f"{URL}/{version}/backtest", json=WINDOW)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def statuses(client: AsyncClient) -> dict[str, str]:
    items = (await client.get(URL)).json()["items"]
    return {item["version"]: item["status"] for item in items}


async def publish(author: AsyncClient, publisher: AsyncClient) -> str:
    version = await draft(author)
    await run_backtest(author, version)
    answer = await step(publisher, version, "publish")
    assert answer.status_code == 200, answer.text
    return version


async def test_the_first_rule_set_is_live_and_is_the_one_that_the_service_brings(
    ann: AsyncClient,
) -> None:
    (first,) = (await ann.get(URL)).json()["items"]
    assert (first["version"], first["status"], first["based_on"]) == ("1", "live", None)
    assert first["weights"] == dict(BASE.weights)
    assert [item["rule"] for item in first["rules"]] == [rule.name for rule in RULES]
    assert (await ann.get(f"{URL}/1")).json() == first


async def test_a_draft_changes_weights_thresholds_and_campaigns(ann: AsyncClient) -> None:
    campaigns = {"default": {"weights": {}, "thresholds": {"hasty_deposit_s": 120}}}
    answer = await ann.post(
        URL, json=body(thresholds={"review": 60}, sample_percent=3, campaigns=campaigns)
    )
    assert answer.status_code == 201, answer.text
    drafted = answer.json()
    assert (drafted["version"], drafted["status"], drafted["based_on"]) == ("2", "draft", "1")
    assert drafted["weights"]["denied"] == 90
    assert drafted["thresholds"]["review"] == 60
    assert (drafted["sample_percent"], drafted["campaigns"]) == (3, campaigns)
    assert (drafted["reason"], drafted["written_by"]) == ("a trial", "Ann Lee")
    assert drafted["backtest"] is drafted["published_by"] is None
    assert (await ann.get(f"{URL}/2")).json() == drafted


async def test_a_draft_is_based_on_the_live_rule_set_unless_another_is_named(
    ann: AsyncClient, ben: AsyncClient
) -> None:
    live = await publish(ann, ben)
    answer = await ann.post(URL, json={"reason": "a trial"})
    assert answer.json()["based_on"] == live
    assert answer.json()["weights"]["denied"] == 90
    assert (await ann.post(URL, json=body(based_on=1))).json()["based_on"] == "1"
    assert_problem(await ann.post(URL, json=body(based_on="99")), 404, "unknown_rule_set")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"weights": {"no_such_rule": 1}}, "weights.no_such_rule"),
        ({"weights": {"denied": 101}}, "weights.denied"),
        ({"weights": {"denied": "90"}}, "weights.denied"),
        ({"weights": {"denied": True}}, "weights.denied"),
        ({"weights": {"shared_address": 60}}, "weights.shared_address"),
        ({"thresholds": {"no_such": 1}}, "thresholds.no_such"),
        ({"thresholds": {"review": 101}}, "thresholds"),
        ({"sample_percent": 101}, "sample_percent"),
        ({"campaigns": {"no-such": {}}}, "campaigns.no-such"),
        ({"campaigns": {"default": {"weights": {"x": 1}}}}, "campaigns.default.weights.x"),
        ({"based_on": "first"}, "based_on"),
        ({"reason": ""}, "reason"),
        ({"rules": {}}, "rules"),
    ],
)
async def test_refuses_what_no_rule_set_may_have(
    ann: AsyncClient, changes: dict[str, Any], field: str
) -> None:
    assert_problem(await ann.post(URL, json=body(**changes)), 422, "validation_failed", field)
    assert await statuses(ann) == {"1": "live"}


async def test_a_second_person_publishes_after_a_backtest(
    ann: AsyncClient, ben: AsyncClient, fresh_database: Database
) -> None:
    version = await draft(ann)
    assert_problem(await step(ben, version, "publish"), 409, "report_required")
    report = await run_backtest(ann, version)
    assert_problem(await step(ann, version, "publish"), 403, "second_person_required")
    published = await step(ben, version, "publish")
    assert published.status_code == 200
    shown = published.json()
    assert (shown["status"], shown["published_by"]) == ("live", "Ben Ode")
    assert shown["backtest"] == report
    assert await statuses(ann) == {"2": "live", "1": "retired"}
    assert (await step(ben, version, "publish")).json() == shown
    async with fresh_database.reading() as session:
        query = select(AuditRow.action).where(AuditRow.subject == f"rule-set:{version}")
        actions = await session.scalars(query.order_by(AuditRow.id))
        assert actions.all() == ["rule_set.create", "rule_set.backtest", "rule_set.publish"]


async def test_another_spelling_of_a_name_is_no_second_person(
    own_app: FastAPI, fresh_database: Database, ann: AsyncClient
) -> None:
    version = await draft(ann)
    await run_backtest(ann, version)
    async with await person(own_app, fresh_database, " ANN  lee") as same:
        assert_problem(await step(same, version, "publish"), 403, "second_person_required")


async def test_a_backtest_against_an_earlier_live_rule_set_does_not_do(
    ann: AsyncClient, ben: AsyncClient
) -> None:
    version = await draft(ann)
    await run_backtest(ann, version)
    await publish(ann, ben)
    assert_problem(await step(ben, version, "publish"), 409, "report_required")
    await run_backtest(ann, version)
    assert (await step(ben, version, "publish")).status_code == 200


async def test_one_person_rolls_back_at_once(ann: AsyncClient, ben: AsyncClient) -> None:
    version = await publish(ann, ben)
    assert_problem(await step(ann, await draft(ann), "rollback"), 409, "invalid_transition")
    assert (await step(ann, "1", "rollback")).json()["status"] == "live"
    assert (await step(ann, "1", "rollback")).json()["status"] == "live"
    assert await statuses(ann) == {"1": "live", version: "retired", "3": "draft"}
    assert_problem(await step(ben, version, "publish"), 409, "invalid_transition")
    assert (await step(ben, version, "rollback")).json()["status"] == "live"


async def test_one_rule_set_runs_in_the_shadow(ann: AsyncClient, ben: AsyncClient) -> None:
    second, third = await draft(ann), await draft(ann)
    assert_problem(await step(ann, "1", "shadow"), 409, "invalid_transition")
    assert (await step(ann, second, "shadow")).json()["status"] == "shadow"
    assert (await step(ann, second, "shadow")).json()["status"] == "shadow"
    assert (await step(ann, third, "shadow")).json()["status"] == "shadow"
    assert await statuses(ann) == {"1": "live", second: "draft", third: "shadow"}
    await run_backtest(ann, third)
    assert (await step(ben, third, "publish")).json()["status"] == "live"
    assert (await step(ann, second, "shadow")).json()["status"] == "shadow"
    for _ in range(2):
        ended = await ann.delete(f"{URL}/{second}/shadow")
        assert ended.json()["status"] == "draft"


async def test_a_backtest_of_nothing_changes_nothing(ann: AsyncClient) -> None:
    nothing: dict[str, Any] = {"paid": [], "held": [], "blocked": []}
    report = await run_backtest(ann, await draft(ann))
    assert (report["assessed"], report["changed"], report["unreadable"]) == (0, 0, 0)
    assert report["money"] == {"before": nothing, "after": nothing}
    assert report["queue"] == {"before": 0, "after": 0}
    assert (report["rule_set"], report["baseline"]) == ("2", "1")


@pytest.mark.parametrize(
    ("window", "field"),
    [
        ({"from": WINDOW["from"]}, "to"),
        ({"from": WINDOW["to"], "to": WINDOW["from"]}, "to"),
        ({"from": WINDOW["from"], "to": WINDOW["from"]}, "to"),
        ({"from": "yesterday", "to": WINDOW["to"]}, "from"),
    ],
)
async def test_a_backtest_has_a_time(ann: AsyncClient, window: dict[str, str], field: str) -> None:
    answer = await ann.post(f"{URL}/1/backtest", json=window)
    assert_problem(answer, 422, "validation_failed", field)


@pytest.mark.parametrize("name", ["shadow", "publish", "rollback"])
async def test_an_unknown_rule_set_takes_no_step(ann: AsyncClient, name: str) -> None:
    assert_problem(await step(ann, "99", name), 404, "unknown_rule_set")
    assert_problem(await ann.get(f"{URL}/99"), 404, "unknown_rule_set")
    answer = await ann.post(f"{URL}/99/backtest", json=WINDOW)
    assert_problem(answer, 404, "unknown_rule_set")


async def test_writing_and_publishing_have_scopes_of_their_own(
    own_app: FastAPI, fresh_database: Database, ann: AsyncClient
) -> None:
    version = await draft(ann)
    async with await person(own_app, fresh_database, "writer", "rules:write") as writer:
        assert_problem(await step(writer, version, "publish"), 403, "missing_scope")
        assert_problem(await step(writer, "1", "rollback"), 403, "missing_scope")
    async with await person(own_app, fresh_database, "publisher", "rules:publish") as publisher:
        assert_problem(await publisher.post(URL, json=body()), 403, "missing_scope")
        assert_problem(await step(publisher, version, "shadow"), 403, "missing_scope")
        await run_backtest(publisher, version)
        assert (await step(publisher, version, "publish")).status_code == 200


async def test_rule_sets_are_read_in_pages(ann: AsyncClient) -> None:
    for _ in range(2):
        await draft(ann)
    first = (await ann.get(URL, params={"limit": 2})).json()
    assert [item["version"] for item in first["items"]] == ["3", "2"]
    rest = (await ann.get(URL, params={"cursor": first["next_cursor"]})).json()
    assert [item["version"] for item in rest["items"]] == ["1"]
    assert rest["next_cursor"] is None


async def test_of_two_publications_at_once_one_has_a_stale_backtest(
    ann: AsyncClient, ben: AsyncClient
) -> None:
    drafts = [await draft(ann), await draft(ann)]
    for version in drafts:
        await run_backtest(ann, version)
    answers = await asyncio.gather(*(step(ben, version, "publish") for version in drafts))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert sorted((await statuses(ann)).values()) == ["draft", "live", "retired"]


async def test_the_first_rule_set_is_stored_once_however_many_ask(ann: AsyncClient) -> None:
    answers = await asyncio.gather(*(statuses(ann) for _ in range(10)))
    assert answers == [{"1": "live"}] * 10
    bodies = await asyncio.gather(*(ann.post(URL, json=body()) for _ in range(5)))
    versions = sorted(answer.json()["version"] for answer in bodies)
    assert versions == ["2", "3", "4", "5", "6"]


async def test_rules_are_worded_in_the_language_that_is_asked_for(client: AsyncClient) -> None:
    german = (await client.get(f"{URL}/1", params={"language": "de"})).json()["rules"]
    english = (await client.get(f"{URL}/1")).json()["rules"]

    assert "Der Werber hat nie eingezahlt." in [rule["words"] for rule in german]
    assert [rule["rule"] for rule in german] == [rule["rule"] for rule in english]
    unknown = await client.get(f"{URL}/1", params={"language": "xx"})
    assert_problem(unknown, 422, "validation_failed", "language")
