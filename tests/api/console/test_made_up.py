"""Made-up input at the console: addresses that no page gave, and whatever people paste."""

from collections.abc import AsyncIterator
from typing import Final

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from db.engine import Database
from referrals.access.console.roles import Role
from tests.api.bodies import create_code, unique
from tests.api.console.signed_in import Operator, signed_in
from tests.api.v1.test_cursors import FORGED

LISTS: Final = (
    "/console/campaigns",
    "/console/cases",
    "/console/ledger",
    "/console/ledger/audit",
    "/console/operations/webhooks/00000000-0000-0000-0000-000000000007",
    "/console/players/somebody",
    "/console/referrals",
)
PASTED: Final = (
    "https://[::1/r/ANN123",
    "http://[",
    "\0",
    "ann\0lee",
    "%",
    "'; --",
    "\uff19" * 40,
    "a" * 5000,
    "\u202e\u200b",
    "00000000-0000-0000-0000-000000000000",
    "0" * 64,
    "1e400",
    "deposit:d-1",
)


@pytest.fixture
async def admin(app: FastAPI, database: Database) -> AsyncIterator[Operator]:
    async with signed_in(app, database, role=Role.ADMIN, name=unique("Ada")) as operator:
        yield operator


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_survives_a_cursor_that_it_never_gave(admin: Operator, path: str) -> None:
    answers = [await admin.opens(f"{path}?cursor={cursor}") for cursor in FORGED]
    assert {answer.status_code for answer in answers} <= {200, 404, 422}


@pytest.mark.parametrize("text", PASTED)
async def test_a_search_survives_whatever_is_pasted(admin: Operator, text: str) -> None:
    answer = await admin.browser.get("/console/search", params={"q": text})
    assert answer.status_code in {200, 422}, answer.text


@pytest.mark.parametrize(
    "written",
    [
        "{code}",
        "https://refer.example/r/{code}",
        "https://refer.example/r/{code}/?utm=a/b",
        "{code}.",
    ],
)
async def test_a_search_finds_a_code_as_it_is_pasted(
    admin: Operator, client: AsyncClient, written: str
) -> None:
    code = await create_code(client)
    answer = await admin.browser.get("/console/search", params={"q": written.format(code=code)})
    assert f"code={code}" in answer.text


@pytest.mark.parametrize("path", [path for path in LISTS if "webhooks" not in path])
async def test_a_filter_that_a_list_does_not_have_never_shows_everything(
    admin: Operator, path: str
) -> None:
    assert (await admin.opens(path)).status_code == 200
    for wrong in ("playerid=somebody", "Status=open", "format=csv&format=csv"):
        answer = await admin.opens(f"{path}?{wrong}")
        assert answer.status_code == 422, wrong
        assert wrong.partition("=")[0] in answer.text


@pytest.mark.parametrize("path", ["audit", "cases/1/2", "Cases", "static/nothing"])
async def test_an_address_that_no_page_has_is_told_on_a_page(admin: Operator, path: str) -> None:
    answer = await admin.opens(f"/console/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "No page of the console has this address." in answer.text


async def test_a_slash_at_the_end_of_an_address_leads_to_its_page(admin: Operator) -> None:
    answer = await admin.opens("/console/cases/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/cases")
