"""A person's name, mail and phone in every field of every schema of the API.

Fields and parameters come from the OpenAPI document, so that one that is added later is seeded too.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from api.app import build_app
from db.engine import Database
from db.tables import Table
from runtime.settings import Settings
from tests.api.bodies import create_code
from tests.fixtures.api_client import a_key, caller
from tests.seeds.bodies import PUBLISHED, WRITTEN, Field, fields_of, send
from tests.seeds.values import FOUND, SEEDS, number_of

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
                answer = await send(client, field, None, known={"code": code})
                if not answer.is_success:
                    unreached.add(f"{field.method} {field.route}")
            for kind, seed_of in SEEDS.items():
                for number, field in enumerate(fields):
                    if kind == "name" or number in bodies:
                        answer = await send(client, field, seed_of(number), known={"code": code})
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
