"""Fields of the typed client against the service's OpenAPI document: none is forgotten."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final, get_type_hints

import pytest
from fastapi import FastAPI

from referrals_client import (
    Balance,
    BonusBalance,
    ChargebackFields,
    Claimed,
    Client,
    Confirmed,
    DepositFields,
    FirstOpen,
    Money,
    Ok,
    OwnCode,
    Resolved,
    SignupFields,
    StatusFields,
    WagerFields,
    WithdrawalFields,
)
from sandbox.sportsbook.requests import unique_id
from tests.client.stub_server import Reply, StubServer

EVENTS: Final[Mapping[str, Any]] = {
    "signups": SignupFields,
    "deposits": DepositFields,
    "chargebacks": ChargebackFields,
    "wagers": WagerFields,
    "withdrawals": WithdrawalFields,
    "players": StatusFields,
}
CALLS: Final[Mapping[str, Callable[..., Any]]] = {
    "/v1/codes": Client.code_of,
    "/v1/attributions/claim": Client.claim,
    "/v1/attributions/confirm": Client.confirm,
}
ANSWERS: Final[Mapping[tuple[str, str, str], Any]] = {
    ("post", "/v1/codes", "201"): OwnCode,
    ("post", "/v1/attributions/resolve", "200"): Resolved,
    ("post", "/v1/attributions/confirm", "200"): Confirmed,
    ("post", "/v1/attributions/claim", "200"): Claimed,
    ("get", "/v1/players/{player_id}/balance", "200"): Balance,
}


@pytest.mark.parametrize("door", EVENTS)
def test_an_event_has_every_field_of_the_services_schema(app: FastAPI, door: str) -> None:
    body = body_schema(app, f"/v1/events/{door}")
    assert set(get_type_hints(EVENTS[door])) == set(body["properties"])
    assert EVENTS[door].__required_keys__ == set(body["required"]) - {"occurred_at"}


@pytest.mark.parametrize("path", CALLS)
def test_a_call_takes_every_field_of_the_services_schema(app: FastAPI, path: str) -> None:
    taken = set(inspect.signature(CALLS[path]).parameters) - {"self"}
    assert taken == set(body_schema(app, path)["properties"])


def test_a_first_open_has_every_field_of_the_services_schema(app: FastAPI) -> None:
    body = body_schema(app, "/v1/attributions/resolve")
    assert {one.name for one in fields(FirstOpen)} == set(body["properties"])


@pytest.mark.parametrize("operation", ANSWERS)
def test_an_answer_has_every_field_of_the_services_schema(
    app: FastAPI, operation: tuple[str, str, str]
) -> None:
    method, path, status = operation
    answer = app.openapi()["paths"][path][method]["responses"][status]
    schema = resolved(app, answer["content"]["application/json"]["schema"])
    assert {one.name for one in fields(ANSWERS[operation])} == set(schema["properties"])
    if bonus := schema["properties"].get("bonus"):
        names = set(resolved(app, bonus)["properties"])
        assert {one.name for one in fields(BonusBalance)} == names


async def test_the_service_takes_the_terms_that_a_referrer_accepted(
    real_client: Client,
) -> None:
    vanity = unique_id("ANN").replace("-", "").replace(":", "")[:20].upper()
    outcome = await real_client.code_of(
        unique_id("player"), vanity=vanity, accepted_terms="nj-2026-03", jurisdiction="US-NJ"
    )
    assert isinstance(outcome, Ok)
    assert outcome.value.code == vanity


async def test_a_balance_of_bonus_bets_is_read_beside_the_cash(listener: StubServer) -> None:
    five = [{"minor": 500, "currency": "USD"}]
    cash = {"player_id": "ann", "available": [], "held": [], "owed": []}
    listener.script += [
        Reply(200, cash | {"bonus": {"available": five, "held": [], "owed": []}}),
        Reply(200, cash),
    ]
    async with Client(listener.url, "key") as client:
        told, of_older_service = await client.balance("ann"), await client.balance("ann")
    assert isinstance(told, Ok)
    assert isinstance(of_older_service, Ok)
    assert told.value.bonus == BonusBalance(available=(Money(500, "USD"),))
    assert of_older_service.value.bonus == BonusBalance()


def body_schema(app: FastAPI, path: str) -> Mapping[str, Any]:
    body = app.openapi()["paths"][path]["post"]["requestBody"]
    return resolved(app, body["content"]["application/json"]["schema"])


def resolved(app: FastAPI, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the component that a schema refers to, also where `allOf` wraps the reference."""
    (reference,) = (one["$ref"] for one in (schema, *schema.get("allOf", ())) if "$ref" in one)
    component: Mapping[str, Any] = app.openapi()["components"]["schemas"][
        str(reference).rpartition("/")[2]
    ]
    return component
