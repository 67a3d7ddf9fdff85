"""Request bodies that the API accepts, for tests to break in one place."""

from typing import Any
from uuid import uuid4

from httpx import AsyncClient, Response


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid4().hex[:12]}"


def signup(**changes: object) -> dict[str, Any]:
    return {
        "event_id": unique("signup"),
        "occurred_at": "2026-01-02T03:04:05Z",
        "player_id": unique("player"),
        "platform": "web",
        "jurisdiction": "US-NJ",
        "currency": "USD",
        **changes,
    }


def deposit(**changes: object) -> dict[str, Any]:
    return {
        "event_id": unique("deposit"),
        "occurred_at": "2026-01-02T03:04:05Z",
        "player_id": unique("player"),
        "deposit_id": unique("d"),
        "amount": {"minor": 1000, "currency": "USD"},
        **changes,
    }


def campaign(**changes: object) -> dict[str, Any]:
    return {
        "slug": unique("offer"),
        "name": "Spring offer",
        "starts_at": "2026-03-01T00:00:00Z",
        "ends_at": None,
        "destination": "https://book.example/signup?lang=en",
        "budget": {"minor": 500_000, "currency": "USD"},
        "terms": terms(),
        **changes,
    }


def terms(**changes: object) -> dict[str, Any]:
    return {
        "signup_window": "P30D",
        "deposit_window": "P30D",
        "minimum_deposit": {"minor": 1000, "currency": "USD"},
        "hold_period": "PT0S",
        "review_period": "P3D",
        "chargeback_window": "P120D",
        "lateness_grace": "PT1H",
        "referrer_reward": {"minor": 1000, "currency": "USD"},
        "referee_reward": None,
        **changes,
    }


def assert_problem(answer: Response, status: int, code: str, *fields: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert {"type", "title", "detail"} <= problem.keys()
    named = [error["field"] for error in problem.get("errors", [])]
    assert set(fields) <= set(named), named


async def create_code(client: AsyncClient, campaign: str = "default") -> str:
    body = {"player_id": unique("referrer"), "campaign": campaign}
    answer = await client.post("/v1/codes", json=body)
    assert answer.status_code == 201, answer.text
    code: str = answer.json()["code"]
    return code


async def publish_campaign(client: AsyncClient, **changes: object) -> str:
    body = campaign(**changes)
    assert (await client.post("/v1/campaigns", json=body)).status_code == 201
    answer = await client.post(f"/v1/campaigns/{body['slug']}/publish")
    assert answer.status_code == 200, answer.text
    slug: str = body["slug"]
    return slug
