"""The OpenAPI document field by field, and the page that shows it."""

import re
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from jsonschema import Draft202012Validator

from api.http.openapi_fields import operations


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def test_every_field_has_a_description_and_an_example(document: dict[str, Any]) -> None:
    bare = [
        f"{schema}.{name}"
        for schema, shape in document["components"]["schemas"].items()
        for name, field in shape.get("properties", {}).items()
        if not field.get("description") or not ("example" in field or field.get("examples"))
    ]
    assert bare == []


def test_every_parameter_has_a_description(document: dict[str, Any]) -> None:
    bare = {
        (operation["operationId"], parameter["name"])
        for operation in operations(document)
        for parameter in operation.get("parameters", ())
        if not parameter.get("description")
    }
    assert bare == set()


def test_every_example_is_one_that_its_schema_accepts(document: dict[str, Any]) -> None:
    components = {"components": document["components"]}
    refused = [
        (schema, name, example)
        for schema, shape in document["components"]["schemas"].items()
        for name, field in shape.get("properties", {}).items()
        for example in field.get("examples", ())
        if not Draft202012Validator({**components, **field}).is_valid(example)
    ]
    assert refused == []


def test_amounts_and_durations_name_their_unit(document: dict[str, Any]) -> None:
    for schema, shape in document["components"]["schemas"].items():
        for name, field in shape.get("properties", {}).items():
            if name.endswith(("_s", "_seconds")):
                assert "econds" in field["description"], f"{schema}.{name}"
            if name == "minor":
                assert "minor units" in field["description"], schema


def test_every_route_with_a_key_names_its_scopes(document: dict[str, Any]) -> None:
    for operation in operations(document):
        scopes = [each["HTTPBearer"] for each in operation.get("security", ())]
        assert all(len(scope) == 1 for scope in scopes), operation["operationId"]
        assert not scopes or "Scope: `" in operation["description"]
    deposits = document["paths"]["/v1/events/deposits"]["post"]
    assert deposits["security"] == [
        {"HTTPBearer": ["deposits:write"]},
        {"HTTPBearer": ["events:write"]},
    ]


def test_no_name_of_a_schema_is_that_of_a_module(document: dict[str, Any]) -> None:
    names = set(document["components"]["schemas"])
    assert not {name for name in names if "__" in name or name.endswith("_")}
    assert {"ReviewStatus", "RebindStatus", "AttemptPage"} <= names


async def test_the_reference_needs_no_other_host(client: AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in page.text
    assert re.findall(r"""(?:src|href)=["'](?![#/])[^"']+""", page.text) == []


async def test_the_reference_shows_every_route_and_field(
    client: AsyncClient, document: dict[str, Any]
) -> None:
    page = (await client.get("/docs")).text
    assert all(f"<code>{path}</code>" in page for path in document["paths"])
    names = set(document["components"]["schemas"])
    assert all(f'id="{name}"' in page for name in names)
    assert "referrals:read" in page
