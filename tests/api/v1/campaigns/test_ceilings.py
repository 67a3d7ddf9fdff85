"""Ceilings of budgets: no publisher gets past them by another currency, or by funding."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient

from db.engine import Database
from runtime.settings import Settings
from tests.api.bodies import assert_problem, campaign
from tests.fixtures.api_client import caller

URL = "/v1/campaigns"
CEILING_MINOR = 600_000


@pytest.fixture
async def approver(
    settings: Settings, database: Database, approver_key: str
) -> AsyncIterator[AsyncClient]:
    from api.app import build_app  # noqa: PLC0415

    strict = settings.model_copy(update={"largest_budget_minor": CEILING_MINOR})
    async with caller(build_app(strict, database), approver_key) as approver:
        yield approver


def funding(minor: int, reference: str) -> dict[str, Any]:
    return {"amount": {"minor": minor, "currency": "USD"}, "reference": reference}


async def test_a_budget_in_another_currency_has_the_same_ceiling(
    client: AsyncClient, approver: AsyncClient
) -> None:
    fitting = {"minor": CEILING_MINOR, "currency": "JPY"}
    beyond = {"minor": CEILING_MINOR + 1, "currency": "EUR"}
    body = campaign(currencies=[fitting, beyond])
    link = f"{URL}/{body['slug']}"
    await client.post(URL, json=body)
    refused = await approver.post(f"{link}/publish")
    assert_problem(refused, 422, "validation_failed", "currencies[1].minor")
    await client.put(link, json=body | {"currencies": [fitting]})
    assert (await approver.post(f"{link}/publish")).status_code == 200


async def test_a_budget_is_not_funded_beyond_the_ceiling_in_one_step_or_in_many(
    client: AsyncClient, approver: AsyncClient
) -> None:
    body = campaign()  # with a budget of 500,000
    link = f"{URL}/{body['slug']}"
    await client.post(URL, json=body)
    assert (await approver.post(f"{link}/publish")).status_code == 200

    for step in range(2):
        small = await approver.post(f"{link}/fund", json=funding(50_000, f"step-{step}"))
        assert small.status_code == 200
    for minor in (1, 10**12):
        refused = await approver.post(f"{link}/fund", json=funding(minor, f"more-{minor}"))
        assert_problem(refused, 422, "validation_failed", "amount.minor")
    again = await approver.post(f"{link}/fund", json=funding(50_000, "step-1"))
    assert again.json()["available_budget"]["minor"] == CEILING_MINOR

    back = funding(1, "a cent back") | {"reason": "too much"}
    assert (await approver.post(f"{link}/defund", json=back)).status_code == 200
    assert (await approver.post(f"{link}/fund", json=funding(1, "more-1"))).status_code == 200


async def test_a_draft_that_was_funded_is_not_published_beyond_the_ceiling(
    client: AsyncClient, approver: AsyncClient
) -> None:
    body = campaign()  # with a budget of 500,000
    link = f"{URL}/{body['slug']}"
    await client.post(URL, json=body)
    assert (await approver.post(f"{link}/fund", json=funding(100_001, "early"))).status_code == 200
    refused = await approver.post(f"{link}/publish")
    assert_problem(refused, 422, "validation_failed", "budget.minor")
    assert (await client.get(link)).json()["status"] == "draft"

    back = funding(1, "a cent back") | {"reason": "too much"}
    assert (await approver.post(f"{link}/defund", json=back)).status_code == 200
    assert (await approver.post(f"{link}/publish")).status_code == 200
    assert (await client.get(link)).json()["available_budget"]["minor"] == CEILING_MINOR


async def test_a_reference_of_somebody_elses_keeps_no_budget_from_being_funded(
    client: AsyncClient, approver: AsyncClient
) -> None:
    body = campaign(currencies=[{"minor": 5000, "currency": "EUR"}])
    link = f"{URL}/{body['slug']}"
    await client.post(URL, json=body)
    assert (await approver.post(f"{link}/publish")).status_code == 200
    assert (await approver.post(f"{link}/fund", json=funding(1, "publish GBP"))).status_code == 200

    pounds = {"minor": 7000, "currency": "GBP"}
    revised = body | {"currencies": [*body["currencies"], pounds]}
    assert (await client.put(link, json=revised)).status_code == 200
    assert (await approver.post(f"{link}/publish")).status_code == 200
    assert pounds in (await client.get(link)).json()["available_currencies"]
