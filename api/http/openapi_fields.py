"""Descriptions, examples and scopes that are added to every field and route of the document."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from api.http.field_descriptions import description_of
from api.http.field_examples import example_of

PAGE_NAME: Final = re.compile(r"PageOut_(\w+?)(?:Out)?_$")
METHODS: Final = ("get", "put", "post", "delete", "patch")


def describe_fields(schemas: dict[str, Any]) -> None:
    """Add a description and an example to every field that has none."""
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            if "description" not in field and (text := description_of(name)):
                field["description"] = text
            if "example" not in field and not field.get("examples"):
                field["examples"] = [example_of(name, field, schemas)]


def describe_parameters(document: Mapping[str, Any]) -> None:
    for operation in operations(document):
        for parameter in operation.get("parameters", ()):
            if "description" not in parameter and (text := description_of(parameter["name"])):
                parameter["description"] = text


def operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from (operation for method, operation in methods.items() if method in METHODS)


def add_scopes(document: Mapping[str, Any], routes: Sequence[BaseRoute]) -> None:
    """Name the scopes of each route, any one of which a key needs, in security and description."""
    for route in routes:
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        scopes = sorted(set(_scopes(route.dependant)))
        for method in (route.methods or ()) if scopes else ():
            operation = document["paths"][route.path_format][method.lower()]
            operation["security"] = [{"HTTPBearer": [scope]} for scope in scopes]
            named = " or ".join(f"`{scope}`" for scope in scopes)
            text = operation.get("description", "")
            operation["description"] = f"{text}\n\nScope: {named}.".strip()


def published_page_names(schemas: Mapping[str, Any]) -> dict[str, str]:
    """Return names such as `ReferralPage` by the framework's name for a page of a list."""
    found = {name: PAGE_NAME.fullmatch(name) for name in schemas}
    return {name: f"{match[1]}Page" for name, match in found.items() if match}


def _scopes(dependant: Dependant) -> Iterator[str]:
    yield from getattr(dependant.call, "scopes", ())
    for each in dependant.dependencies:
        yield from _scopes(each)
