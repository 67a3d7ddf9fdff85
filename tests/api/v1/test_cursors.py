"""Cursors of every list: one that was never given is refused, whatever is in it."""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from api.http.paging import encode_cursor
from db.engine import Database
from tests.activities.referral_acts import sign_up
from tests.api.bodies import assert_problem

FAR: Final = "9999-12-31T23:59:59-23:59"
FORGED: Final = (
    "",
    "x",
    "eA",
    "%00",
    "a" * 300,
    *map(
        encode_cursor,
        (
            "9" * 19,
            "9" * 100,
            "-1",
            "\0",
            "2026-01-01T00:00:00Z|\0",
            "2026-01-01T00:00:00Z|deposit|\0",
            "2026-01-01T00:00:00|00000000-0000-0000-0000-000000000000",
            f"{FAR}|00000000-0000-0000-0000-000000000000",
            f"{FAR}|signup-1",
            f"{FAR}|deposit|deposit-1",
            "0001-01-01T00:00:00+23:59|signup-1",
        ),
    ),
)
ORDERED_BY_NAME: Final = frozenset({"/v1/campaigns"})
"""Lists in which any printable text is a place."""
NEED_A_PLAYER: Final = frozenset({"/v1/attributions"})


def lists_of(app: FastAPI) -> Iterator[str]:
    for path, methods in app.openapi()["paths"].items():
        parameters = methods.get("get", {}).get("parameters", ())
        if any(parameter["name"] == "cursor" for parameter in parameters):
            yield path


@pytest.mark.parametrize("cursor", FORGED)
async def test_every_list_refuses_a_cursor_that_it_never_gave(
    client: AsyncClient, app: FastAPI, database: Database, cursor: str
) -> None:
    referral = (await sign_up(database)).row
    ids = {"referral_id": str(referral.id), "player_id": referral.referrer_id}
    paths = list(lists_of(app))
    assert len(paths) >= 8

    for path in paths:
        filled, has_unknown_id = _fill(path, ids)
        query = f"cursor={cursor}" + (
            f"&player_id={referral.referrer_id}" if path in NEED_A_PLAYER else ""
        )
        answer = await client.get(f"{filled}?{query}")

        is_place = path in ORDERED_BY_NAME and answer.status_code == 200
        if not is_place and not (has_unknown_id and answer.status_code == 404):
            assert_problem(answer, 422, "validation_failed", "cursor")


def _fill(path: str, ids: Mapping[str, str]) -> tuple[str, bool]:
    """Return a path with ids for its parameters, and whether one is of something unknown."""
    names = re.findall(r"{(\w+)}", path)
    values = {**{name: str(UUID(int=7)) for name in names}, **ids}
    return path.format(**values), not ids.keys() >= set(names)
