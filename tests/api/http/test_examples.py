"""Examples of the OpenAPI document, each sent and accepted."""

from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from api.http.examples import BODY_EXAMPLES
from api.v1.campaigns import rate_bodies
from api.v1.schemas import (
    attributions,
    campaigns,
    cases,
    codes,
    explanations,
    first_open,
    lists,
    players,
    preferences,
    reviews,
    rule_sets,
    simulations,
    webhooks,
)
from referrals.intake import events

MODULES = (
    attributions,
    campaigns,
    cases,
    codes,
    events,
    explanations,
    first_open,
    lists,
    players,
    preferences,
    rate_bodies,
    reviews,
    rule_sets,
    simulations,
    webhooks,
)


@pytest.mark.parametrize("name", BODY_EXAMPLES)
def test_every_example_is_accepted(name: str) -> None:
    (model,) = (getattr(module, name) for module in MODULES if hasattr(module, name))
    assert issubclass(model, BaseModel)
    model.model_validate(BODY_EXAMPLES[name])


def test_every_body_has_an_example(app: FastAPI) -> None:
    document = app.openapi()
    used = {
        schema["$ref"].rpartition("/")[2]
        for methods in document["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
        for schema in _alternatives(operation["requestBody"])
        if "$ref" in schema
    }
    assert used == set(BODY_EXAMPLES)


def _alternatives(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a body's schemas, of which one that may be left out has two."""
    schema: dict[str, Any] = body["content"]["application/json"]["schema"]
    alternatives: list[dict[str, Any]] = schema.get("anyOf", [schema])
    return alternatives


def test_every_route_but_the_public_ones_asks_for_a_key(app: FastAPI) -> None:
    document = app.openapi()
    open_routes = {
        path
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if "security" not in operation
    }
    for_phones = {"/.well-known/apple-app-site-association", "/.well-known/assetlinks.json"}
    assert open_routes == {"/healthz", "/readyz", "/r/{code}", "/invitation.png"} | for_phones
    assert all(
        {"422", "503"} <= operation["responses"].keys()
        for methods in document["paths"].values()
        for operation in methods.values()
    )
