"""Every text of every schema and every parameter of the API, from its OpenAPI document.

A field or parameter that is added later is among them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from httpx import AsyncClient, Response

from api.http.examples import BODY_EXAMPLES
from tests.api.bodies import unique

FRESH: Final = frozenset(
    {"event_id", "deposit_id", "withdrawal_id", "reference", "slug", "player_id", "vanity"}
)
"""Ids that a repeated request would not store."""
PUBLISHED: Final = frozenset({"CampaignIn.name", "CampaignIn.link.helplines.0.text"})
"""Texts of an offer, which everybody may read."""
WRITTEN: Final = frozenset(
    {
        "DefundingIn.reason",
        "DefundingIn.reference",
        "FundingIn.reason",
        "FundingIn.reference",
        "ListEntryIn.reason",
        "RatesIn.source",
        "RuleSetIn.reason",
        "SwitchIn.reason",
        "TaxReleaseIn.reason",
    }
)
"""Reasons and references, in which contacts are masked or refused; a name is one like any word."""
SOME_ID: Final = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
PARAMETERS: Final = {"slug": "default", "list_name": "watch", "scope": "jurisdiction:US-WY"}
MAX_DEPTH: Final = 6
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A text of a body, by its schema and path, or a parameter of a route."""

    method: str
    route: str
    schema: str
    path: Path
    examples: Mapping[Path, Any]

    def __str__(self) -> str:
        return f"{self.schema or self.route}.{'.'.join(map(str, self.path))}"


def fields_of(document: dict[str, Any]) -> Iterator[Field]:
    for route, methods in document["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", ()):
                yield Field(method, route, "", (parameter["name"],), {})
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            name = schema.get("$ref", "").rpartition("/")[2]
            if name:
                for path, examples in texts_in(schema, document, (), ()):
                    yield Field(method, route, name, path, examples)


def texts_in(
    schema: Mapping[str, Any], document: Mapping[str, Any], path: Path, seen: Sequence[str]
) -> Iterator[tuple[Path, dict[Path, Any]]]:
    """Return each text's path, with examples of the objects and lists around it."""
    reference = schema.get("$ref", "")
    if seen.count(reference) > 1 or len(path) > MAX_DEPTH:
        return
    if reference:
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        seen = (*seen, reference)
    example = (schema.get("examples") or [schema.get("example")])[0]
    around = {} if example is None else {path: example}
    for place, inner in parts_of(schema):
        for found, examples in texts_in(inner, document, (*path, *place), seen):
            yield found, around | examples
    if schema.get("type") == "string":
        yield path, {}


def parts_of(schema: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Return the schemas within one, each with its place: none for an alternative."""
    for word in ("anyOf", "oneOf", "allOf"):
        yield from (((), kind) for kind in schema.get(word, ()))
    yield from (((name,), field) for name, field in schema.get("properties", {}).items())
    if isinstance(schema.get("additionalProperties"), dict):
        yield ("anything",), schema["additionalProperties"]
    if "items" in schema:
        yield (0,), schema["items"]


def seeded_body(field: Field, seed: str | None, *, code: str, **own: object) -> dict[str, Any]:
    """Return the example with ids of its own, and the seed at the field's place."""
    example: Any = deepcopy(BODY_EXAMPLES[field.schema])
    body = {**example, **own}
    for name in body:
        if name in FRESH:
            body[name] = unique(name[:1])
    if "code" in body:
        body["code"] = code
    if seed is None:
        return dict(body)
    place: Any = body
    for depth, name in enumerate(field.path[:-1], start=1):
        if isinstance(place, dict) and place.get(name) is None:
            given = deepcopy(field.examples.get(field.path[:depth]))
            place[name] = given if given is not None else [] if field.path[depth] == 0 else {}
        place = place[name]
    if isinstance(place, list):
        place[:] = [seed]
    else:
        place[field.path[-1]] = seed
    return dict(body)


async def send(
    client: AsyncClient, field: Field, seed: str | None, *, known: Mapping[str, str]
) -> Response:
    """Send an accepted body with a seed, or a parameter that is one; `known` are other parameters.

    `known` has the `code` of somebody's link.
    """
    name_of_parameter = "" if field.schema else str(field.path[0])

    def fill(parameter: re.Match[str]) -> str:
        name = parameter[1].partition(":")[0]
        if name == name_of_parameter:
            return quote(seed or "")
        filled = {**PARAMETERS, **known}.get(name)
        return filled or (SOME_ID if name.endswith("_id") else "x")

    path = re.sub(r"{([^}]+)}", fill, field.route)
    if field.schema:
        body = seeded_body(field, seed, code=known["code"])
        return await client.request(field.method, path, json=body)
    return await client.request(field.method, path, params={name_of_parameter: seed or ""})
