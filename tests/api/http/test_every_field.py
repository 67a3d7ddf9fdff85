"""A person's name, mail and phone in every field of every schema of the API.

Fields and parameters come from the OpenAPI document, so that one that is added later is seeded too.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import text
from structlog.testing import capture_logs

from api.app import build_app
from api.http.examples import BODY_EXAMPLES
from db.engine import Database
from db.tables import Table
from runtime.settings import Settings
from tests.api.bodies import create_code, unique
from tests.fixtures.api_client import a_key, caller

SEEDS: Final[Mapping[str, Callable[[int], str]]] = {
    "name": lambda number: f"Wanda Feldmann{letters(number)}",
    "mail": lambda number: f"wanda.feldmann{letters(number)}@mail.example",
    "phone": lambda number: f"+44 7911 9{number:05}",
}
FOUND: Final = {
    "name": r"(?i)wanda feldmann([a-z]{4})",
    "mail": r"(?i)wanda\.feldmann([a-z]{4})",
    "phone": r"7911 ?9([0-9]{5})",
}
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
UNREACHED: Final = frozenset(
    {
        "post /v1/attributions/confirm",
        "post /v1/attributions/rebinds",
        "post /v1/attributions/rebinds/{rebind_id}/decision",
        "post /v1/campaigns/{slug}/explain",
        "post /v1/campaigns/{slug}/simulate",
        "post /v1/cases/{case_id}/decision",
        "post /v1/cases/{case_id}/notes",
        "post /v1/players/{player_id}/spend",
        "post /v1/players/{player_id}/unspend",
        "post /v1/reviews/{review_id}/decision",
        "post /v1/rule-sets/{version}/backtest",
        "put /v1/campaigns/{slug}",
    }
)
"""Routes about rows that are not there: they take ids, and people's reasons and notes."""
SOME_ID: Final = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
PARAMETERS: Final = {"slug": "default", "list_name": "watch", "scope": "jurisdiction:US-WY"}
MAX_DEPTH: Final = 6
Path = tuple[str | int, ...]


def letters(number: int) -> str:
    """Write a number in letters, as a name has none of digits."""
    digits = [(number // 26**place) % 26 for place in range(4)]
    return "".join(chr(ord("a") + digit) for digit in digits)


def number_of(found: str) -> int:
    if found.isdigit():
        return int(found)
    return sum((ord(one) - ord("a")) * 26**place for place, one in enumerate(found.lower()))


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


def seeded_body(field: Field, seed: str | None, *, code: str) -> dict[str, Any]:
    """Return the example with ids of its own, and the seed at the field's place."""
    body: Any = deepcopy(BODY_EXAMPLES[field.schema])
    for name in body:
        if name in FRESH:
            body[name] = unique(name[:1])
    if "code" in body:
        body["code"] = code
    if seed is None:
        return dict(body)
    place = body
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


@dataclass(frozen=True, slots=True)
class Asked:
    """Every field, what of each seed's kind the database kept, and what was logged."""

    fields: Sequence[Field]
    kept: Mapping[str, frozenset[str]]
    unreached: frozenset[str]
    """Bodies that are not accepted without a seed either: they are about rows that are missing."""
    logged: str


@pytest.fixture
async def asked(fresh_database: Database, settings: Settings) -> Asked:
    """Send each kind of seed in each field."""
    app = build_app(settings, fresh_database)
    fields, kept, unreached = list(fields_of(app.openapi())), {}, set()
    async with caller(app, await a_key(fresh_database)) as client:
        code = await create_code(client)
        # A body that two routes take is seeded with a mail address and a phone number at one.
        numbered = reversed(list(enumerate(fields)))
        bodies = {str(field): number for number, field in numbered if field.schema}.values()
        with capture_logs() as logs:
            for field in {(f.method, f.route): f for f in fields if f.schema}.values():
                answer = await send(client, field, None, code=code)
                if not answer.is_success:
                    unreached.add(f"{field.method} {field.route}")
            for kind, seed_of in SEEDS.items():
                for number, field in enumerate(fields):
                    if kind == "name" or number in bodies:
                        answer = await send(client, field, seed_of(number), code=code)
                        assert answer.status_code < 500, (str(field), answer.text)
                found = await stored(fresh_database, FOUND[kind])
                kept[kind] = frozenset(str(fields[number_of(one)]) for one in found)
    return Asked(fields, kept, frozenset(unreached), json.dumps(logs, default=str))


async def test_no_field_keeps_a_persons_value_but_what_people_write_about_others(
    asked: Asked,
) -> None:
    assert len(asked.fields) > 300
    assert asked.kept["name"] - PUBLISHED <= WRITTEN
    assert asked.kept["name"] >= PUBLISHED
    assert asked.kept["mail"] ^ PUBLISHED == set()
    assert asked.kept["phone"] ^ PUBLISHED == {"CampaignIn.link.helplines.0.phone"}
    assert asked.unreached == UNREACHED
    assert [one for kind in FOUND.values() for one in re.findall(kind, asked.logged)] == []


async def send(client: AsyncClient, field: Field, seed: str | None, *, code: str) -> Response:
    """Send an accepted body with a seed, or a parameter that is one."""
    name_of_parameter = "" if field.schema else str(field.path[0])

    def fill(parameter: re.Match[str]) -> str:
        name = parameter[1].partition(":")[0]
        if name == name_of_parameter:
            return quote(seed or "")
        known = {**PARAMETERS, "code": code}
        return known.get(name) or (SOME_ID if name.endswith("_id") else "x")

    path = re.sub(r"{([^}]+)}", fill, field.route)
    if field.schema:
        body = seeded_body(field, seed, code=code)
        return await client.request(field.method, path, json=body)
    return await client.request(field.method, path, params={name_of_parameter: seed or ""})


async def stored(database: Database, pattern: str) -> set[str]:
    """Return what a pattern finds in any row of any table."""
    found: set[str] = set()
    async with database.reading() as session:
        for table in Table.metadata.sorted_tables:
            query = text(
                "select (regexp_matches(cast(t as text), :pattern, 'g'))[1] from "  # noqa: S608
                f"{table.name} t"
            )
            found |= set(await session.scalars(query, {"pattern": pattern}))
    return found
