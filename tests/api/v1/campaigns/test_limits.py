"""Limits of a campaign over HTTP, and what they leave a referrer."""

from typing import Any

import pytest
from httpx import AsyncClient

from tests.api.bodies import assert_problem, unique

USD_10 = {"minor": 1000, "currency": "USD"}
PER_DAY = {"of": "referrer", "per": "day", "rewards": 3}
PER_CAMPAIGN = {"of": "campaign", "per": "campaign", "amount": USD_10, "over": "refuse"}


async def create(client: AsyncClient, *limits: dict[str, Any], **fields: Any) -> Any:  # noqa: ANN401
    terms = {"referrer_reward": USD_10, "limits": list(limits)}
    budget = {"minor": 500_000, "currency": "USD"}
    body = {"slug": unique("offer"), "name": "Spring", "budget": budget, "terms": terms, **fields}
    return await client.post("/v1/campaigns", json=body)


async def test_an_allowance_shows_each_limit_of_the_live_terms(client: AsyncClient) -> None:
    created = await create(client, PER_DAY, PER_CAMPAIGN)
    assert created.status_code == 201, created.text
    slug = created.json()["slug"]
    answer = await client.get(f"/v1/players/{unique('p')}/allowance", params={"campaign": slug})

    assert answer.status_code == 200, answer.text
    day, campaign = answer.json()["items"]
    assert day.pop("until").endswith("T00:00:00Z")
    assert day == {
        "of": "referrer",
        "per": "day",
        "rewards": {"limit": 3, "used": 0, "left": 3},
        "amount": None,
    }
    assert campaign == {
        "of": "campaign",
        "per": "campaign",
        "until": None,
        "rewards": None,
        "amount": {"limit": USD_10, "used": {**USD_10, "minor": 0}, "left": USD_10},
    }


async def test_an_allowance_of_a_campaign_that_nobody_knows(client: AsyncClient) -> None:
    answer = await client.get("/v1/players/p/allowance", params={"campaign": unique("none")})
    assert_problem(answer, 404, "unknown_campaign")


@pytest.mark.parametrize(
    ("limit", "path"),
    [
        ({**PER_DAY, "of": "house"}, "terms.limits[0].of"),
        ({**PER_DAY, "per": "year"}, "terms.limits[0].per"),
        ({**PER_DAY, "rewards": 0}, "terms.limits[0].rewards"),
        ({**PER_DAY, "rewards": None}, "terms.limits[0]"),
        ({**PER_DAY, "over": "wait"}, "terms.limits[0].over"),
        ({**PER_DAY, "amount": {**USD_10, "currency": "EUR"}}, "terms.limits[0].amount.currency"),
    ],
)
async def test_refuses_a_limit_by_the_path_of_what_is_wrong(
    client: AsyncClient, limit: dict[str, Any], path: str
) -> None:
    assert_problem(await create(client, limit), 422, "validation_failed", path)
