"""Campaigns: drafted, revised, published, funded and ended, each act audited with its actor."""

import asyncio
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from db.engine import Database
from db.tables import AuditRow
from tests.api.bodies import assert_problem, campaign, publish_campaign, terms, unique

URL = "/v1/campaigns"
EUR = {"minor": 1000, "currency": "EUR"}


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


async def test_publishing_a_draft_funds_it_with_its_budget_once(client: AsyncClient) -> None:
    body = campaign()
    drafted = await client.post(URL, json=body)
    assert drafted.status_code == 201
    assert drafted.json()["status"] == "draft"
    assert drafted.json()["available_budget"]["minor"] == 0
    assert {name: drafted.json()["terms"][name] for name in body["terms"]} == body["terms"]
    link = f"{URL}/{body['slug']}"
    steps = [("publish", "published"), ("pause", "paused"), ("resume", "published"),
             ("end", "ended")]  # fmt: skip
    for step, status in steps:
        answer = await client.post(f"{link}/{step}")
        assert (answer.status_code, answer.json()["status"]) == (200, status)
        assert answer.json()["available_budget"] == body["budget"]
    for step in ("publish", "pause", "resume", "end"):
        assert_problem(await client.post(f"{link}/{step}"), 409, "invalid_transition")
    assert_problem(await client.put(link, json=body), 409, "invalid_transition")


async def test_the_default_campaign_is_published_and_funded(client: AsyncClient) -> None:
    answer = (await client.get(f"{URL}/default")).json()
    assert answer["status"] == "published"
    assert answer["budget"] == {"minor": 10_000_000, "currency": "USD"}
    assert answer["terms"]["referrer_reward"] == {"minor": 1000, "currency": "USD"}


async def test_funding_counts_once_per_reference(client: AsyncClient) -> None:
    slug = await publish_campaign(client)
    body = {"amount": {"minor": 700, "currency": "USD"}, "reference": "invoice 1"}
    answers = await asyncio.gather(
        *(client.post(f"{URL}/{slug}/fund", json=body) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["available_budget"]["minor"] for answer in answers} == {500_700}
    other = body | {"amount": {"minor": 701, "currency": "USD"}}
    assert_problem(await client.post(f"{URL}/{slug}/fund", json=other), 409, "reference_conflict")
    foreign = {"amount": EUR, "reference": "invoice 2"}
    answer = await client.post(f"{URL}/{slug}/fund", json=foreign)
    assert_problem(answer, 422, "validation_failed", "amount.currency")


async def test_defunding_takes_back_what_is_free_once_per_reference(client: AsyncClient) -> None:
    slug = await publish_campaign(client)
    body = {"amount": usd(700), "reference": "invoice 1", "reason": "too much"}
    answers = await asyncio.gather(
        *(client.post(f"{URL}/{slug}/defund", json=body) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["available_budget"]["minor"] for answer in answers} == {499_300}
    for change, code in (
        ({"amount": usd(701)}, "reference_conflict"),
        ({"reference": "2", "amount": usd(499_301)}, "insufficient_budget"),
        ({"reference": "3", "amount": EUR}, "insufficient_budget"),
    ):
        assert_problem(await client.post(f"{URL}/{slug}/defund", json=body | change), 409, code)
    del body["reason"]
    answer = await client.post(f"{URL}/{slug}/defund", json=body)
    assert_problem(answer, 422, "validation_failed", "reason")
    answer = await client.post(f"{URL}/{unique('no')}/defund", json=body | {"reason": "r"})
    assert_problem(answer, 404, "unknown_campaign")


async def test_an_ended_campaign_is_not_funded_but_defunded(client: AsyncClient) -> None:
    slug = await publish_campaign(client)
    before = {"amount": usd(700), "reference": "before"}
    assert (await client.post(f"{URL}/{slug}/fund", json=before)).status_code == 200
    await client.post(f"{URL}/{slug}/end")

    assert (await client.post(f"{URL}/{slug}/fund", json=before)).status_code == 200
    refused = await client.post(f"{URL}/{slug}/fund", json=before | {"reference": "after"})
    assert_problem(refused, 409, "invalid_transition")
    assert "has ended takes no money" in refused.json()["detail"]
    rest = {"amount": usd(500_700), "reference": "rest", "reason": "it is over"}
    answer = await client.post(f"{URL}/{slug}/defund", json=rest)
    assert answer.json()["available_budget"]["minor"] == 0


async def test_a_campaign_whose_dates_are_over_is_not_funded(client: AsyncClient) -> None:
    body = campaign(starts_at="2026-03-01T00:00:00Z", ends_at="2026-03-02T00:00:00Z")
    slug = body["slug"]
    await client.post(URL, json=body)
    refused = await client.post(
        f"{URL}/{slug}/fund", json={"amount": usd(700), "reference": "late"}
    )
    assert_problem(refused, 409, "invalid_transition")


async def test_a_draft_keeps_its_currency_while_there_is_money_in_it(client: AsyncClient) -> None:
    body = campaign()
    link = f"{URL}/{body['slug']}"
    await client.post(URL, json=body)
    await client.post(f"{link}/fund", json={"amount": usd(700), "reference": "early"})
    in_euros = campaign(
        slug=body["slug"],
        budget=EUR,
        terms=terms(minimum_deposit=EUR, referrer_reward=EUR),
    )
    refused = await client.put(link, json=in_euros)
    assert_problem(refused, 422, "validation_failed", "budget.currency")

    back = {"amount": usd(700), "reference": "back", "reason": "in euros instead"}
    assert (await client.post(f"{link}/defund", json=back)).status_code == 200
    assert (await client.put(link, json=in_euros)).status_code == 200


async def test_a_published_budget_changes_by_funding_only(client: AsyncClient) -> None:
    slug = await publish_campaign(client)
    for minor in (500_001, 499_999):
        refused = await client.put(f"{URL}/{slug}", json=campaign(slug=slug, budget=usd(minor)))
        assert_problem(refused, 409, "budget_is_funded")
        assert "`fund`" in refused.json()["detail"]
    await client.post(f"{URL}/{slug}/fund", json={"amount": usd(1), "reference": "more"})
    assert (await client.put(f"{URL}/{slug}", json=campaign(slug=slug))).status_code == 200


async def test_a_budget_beyond_the_largest_amount_is_refused_at_the_write(
    client: AsyncClient,
) -> None:
    slug = await publish_campaign(client, budget=usd(10**15))
    refused = await client.post(f"{URL}/{slug}/fund", json={"amount": usd(1), "reference": "more"})
    assert_problem(refused, 409, "balance_limit")

    body = campaign(budget=usd(10**15))
    await client.post(URL, json=body)
    await client.post(f"{URL}/{body['slug']}/fund", json={"amount": usd(1), "reference": "early"})
    refused = await client.post(f"{URL}/{body['slug']}/publish")
    assert_problem(refused, 409, "balance_limit")
    assert (await client.get(f"{URL}/{body['slug']}")).json()["status"] == "draft"
    assert (await client.get(URL)).status_code == 200


async def test_writes_who_did_what_and_why(client: AsyncClient, database: Database) -> None:
    slug = await publish_campaign(client)
    headers = {"X-Request-Id": unique("request")}
    reason = {"reason": "too generous"}
    await client.post(f"{URL}/{slug}/pause", json=reason, headers=headers)
    async with database.reading() as session:
        query = select(AuditRow).where(AuditRow.subject == f"campaign:{slug}").order_by(AuditRow.id)
        acts = (await session.scalars(query)).all()
    assert [act.action for act in acts] == [
        "campaign.create",
        "campaign.publish",
        "campaign.pause",
    ]
    assert acts[-1].reason == "too generous"
    assert acts[-1].request_id == headers["X-Request-Id"]
    assert acts[-1].actor.startswith("tests-")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"slug": "With Space"}, "slug"),
    ({"slug": "-x"}, "slug"),
    ({"slug": "x" * 64}, "slug"),
    ({"slug": "end\n"}, "slug"),
    ({"name": " "}, "name"),
    ({"starts_at": "tomorrow"}, "starts_at"),
    ({"ends_at": "2026-02-01T00:00:00Z"}, "ends_at"),
    ({"destination": "http://book.example"}, "destination"),
    ({"destination": "javascript:alert(1)"}, "destination"),
    ({"destination": "https://"}, "destination"),
    ({"destination": "https://user@book.example"}, "destination"),
    ({"destination": "https://book.example\\@evil.example"}, "destination"),
    ({"destination": "https://[::1"}, "destination"),
    ({"destination": "https://book.example:99999"}, "destination"),
    ({"budget": EUR}, "terms.minimum_deposit.currency"),
    ({"terms": terms(referrer_reward=EUR)}, "terms.referrer_reward.currency"),
    ({"terms": terms(referee_reward=EUR)}, "terms.referee_reward.currency"),
    ({"terms": terms(signup_window="PT0S")}, "terms.signup_window"),
    ({"terms": terms(signup_window="P11Y")}, "terms.signup_window"),
    ({"terms": terms(signup_window="P99999D")}, "terms.signup_window"),
    ({"terms": terms(signup_window="P")}, "terms.signup_window"),
    ({"terms": terms(signup_window="P1DT")}, "terms.signup_window"),
    ({"terms": terms(signup_window="-P1D")}, "terms.signup_window"),
    ({"terms": terms(signup_window=30)}, "terms.signup_window"),
    ({"terms": terms(signup_window="30")}, "terms.signup_window"),
    ({"terms": terms(surprise=1)}, "terms.surprise"),
]


@pytest.mark.parametrize(("change", "field"), BAD, ids=lambda value: str(value)[:60])
async def test_refuses_a_bad_campaign(
    client: AsyncClient, change: dict[str, Any], field: str
) -> None:
    body = campaign() | change
    answer = await client.post(URL, json=body)
    assert_problem(answer, 422, "validation_failed", field)


async def test_refuses_changes_that_do_not_fit_the_stored_campaign(client: AsyncClient) -> None:
    body = campaign()
    await client.post(URL, json=body)
    assert_problem(await client.post(URL, json=body), 409, "campaign_exists")
    renamed = await client.put(f"{URL}/{body['slug']}", json=campaign())
    assert_problem(renamed, 422, "validation_failed", "slug")
    missing = unique("nothing")
    for method, path in (("GET", ""), ("POST", "/publish"), ("POST", "/end")):
        answer = await client.request(method, f"{URL}/{missing}{path}")
        assert_problem(answer, 404, "unknown_campaign")
    answer = await client.post(f"{URL}/{body['slug']}/delete")
    assert_problem(answer, 422, "validation_failed", "step")


async def test_lists_campaigns_page_by_page(client: AsyncClient) -> None:
    for _ in range(3):
        await client.post(URL, json=campaign())
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(URL, params=query)).json()
        seen += [item["slug"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(set(seen))
    assert "default" in seen
