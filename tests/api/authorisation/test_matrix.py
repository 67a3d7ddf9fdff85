"""Every route by every scope and role, and without a credential: as the matrix says."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from starlette.routing import BaseRoute, Route

from api.app import build_app
from api.v1.ledger import CoalescingVerifier
from db.engine import Database
from referrals.access.api_keys import SCOPES
from referrals.access.audit import Actor
from referrals.access.console.roles import PERMISSIONS, Permission, Role
from runtime.settings import Settings
from tests.api.authorisation.rows import CONSOLE, KEYS, NOT_BY_ONESELF, OPEN, PLAYER_PAGES
from tests.api.bodies import unique
from tests.api.console.signed_in import Operator, browser_of, signed_in
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key

ACTOR: Final = Actor(name="tests", request_id=None, reason="a test")
SOME_ID: Final = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
VALUES: Final = {"list_name": "deny", "step": "pause", "scope": "everything", "name:path": "x.css"}
"""Values of parameters that are not ids."""
TESTS: Final = Path(__file__).parents[1]
WRONG_HEADERS: Final = ("", "Bearer", "Bearer wrong", "Basic eDp5", "Bearer \xe9")


@pytest.fixture(scope="module")
def own_app(settings: Settings, database: Database) -> FastAPI:
    """Return an app that waits for no verifier."""

    async def not_verified() -> bool:
        return False

    app = build_app(settings, database)
    app.state.verifier = CoalescingVerifier(not_verified)
    return app


@pytest.fixture(scope="module")
async def callers(own_app: FastAPI, database: Database) -> AsyncIterator[Mapping[str, AsyncClient]]:
    """Return a caller by each scope, whose key has this one alone."""
    async with AsyncExitStack() as opened, database.transaction() as session:
        keys = {
            scope: await create_key(session, owner=scope, scopes=[scope], actor=ACTOR)
            for scope in SCOPES
        }
        await session.commit()
        clients = {scope: caller(own_app, key) for scope, key in keys.items()}
        yield {scope: await opened.enter_async_context(c) for scope, c in clients.items()}


@pytest.fixture(scope="module")
async def operators(own_app: FastAPI, database: Database) -> AsyncIterator[Mapping[Role, Operator]]:
    async with AsyncExitStack() as opened:
        yield {
            role: await opened.enter_async_context(
                signed_in(own_app, database, role=role, name=unique("Olga"))
            )
            for role in Role
        }


def routes_of(app: FastAPI) -> Iterator[str]:
    for route in app.routes:
        # FastAPI keeps an included router as one route.
        included: list[BaseRoute] = getattr(
            getattr(route, "original_router", None), "routes", [route]
        )
        for each in included:
            assert isinstance(each, Route), each
            yield from (f"{method} {each.path}" for method in each.methods or ())


def request_of(row: str) -> tuple[str, str]:
    """Return method and path of a row, with a value for each parameter."""
    method, path = row.split()
    return method, re.sub(r"{([^}]+)}", lambda found: VALUES.get(found[1], SOME_ID), path)


def is_refused(answer: Response, status: int, code: str) -> bool:
    """Return whether an answer has a status and a code; one to HEAD has no code."""
    has_code = answer.request.method == "HEAD" or code in answer.text
    return answer.status_code == status and has_code


def test_every_route_has_one_row(own_app: FastAPI) -> None:
    rows = [*KEYS, *CONSOLE, *PLAYER_PAGES, *OPEN]
    assert sorted(routes_of(own_app)) == sorted(rows)


def test_every_scope_opens_something_and_every_row_has_known_ones() -> None:
    assert {scope for row in KEYS.values() for scope in row.split()} == set(SCOPES) - {"admin"}


@pytest.mark.parametrize("row", KEYS)
async def test_a_route_opens_for_its_scopes_alone(
    callers: Mapping[str, AsyncClient], row: str
) -> None:
    opening = {*KEYS[row].split(), "admin"}

    answers = {scope: await client.request(*request_of(row)) for scope, client in callers.items()}

    refused = {
        scope for scope, answer in answers.items() if is_refused(answer, 403, "missing_scope")
    }
    assert refused == set(SCOPES) - opening
    assert not any(answer.status_code == 401 for answer in answers.values())


@pytest.mark.parametrize("row", KEYS)
async def test_a_route_opens_for_no_wrong_key(client: AsyncClient, row: str) -> None:
    for text in WRONG_HEADERS:
        headers = [(b"Authorization", text.encode("latin-1"))]
        answer = await client.request(*request_of(row), headers=headers)
        assert is_refused(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_key_opens_no_page_and_a_session_no_route(
    callers: Mapping[str, AsyncClient], operators: Mapping[Role, Operator]
) -> None:
    with_key = await callers["admin"].get("/console")
    with_session = await operators[Role.ADMIN].opens("/v1/referrals")

    assert (with_key.status_code, with_session.status_code) == (401, 401)


@pytest.mark.parametrize("row", CONSOLE)
async def test_a_page_opens_for_no_stranger(app: FastAPI, row: str) -> None:
    async with browser_of(app) as stranger:
        answer = await stranger.request(*request_of(row))
    assert answer.status_code == 401


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_opens_its_pages_and_sends_its_forms_alone(
    operators: Mapping[Role, Operator], role: Role
) -> None:
    operator = operators[role]
    home = "/console" if Permission.SEE_REPORTS in PERMISSIONS[role] else "/console/search"
    for row, permissions in CONSOLE.items():
        method, path = request_of(row)
        if path == "/console/sign-out":
            continue
        if method == "GET":
            answer = await operator.opens(path)
        else:
            answer = await operator.sends(path, seen_on=home, reason="a test")
        may = not PERMISSIONS[role].isdisjoint(permissions)
        assert (answer.status_code != 403) is may, (row, answer.status_code)


def test_every_permission_opens_something() -> None:
    assert {permission for row in CONSOLE.values() for permission in row} == set(Permission)


async def test_a_players_page_opens_for_a_token_of_this_player_alone(
    app: FastAPI, client: AsyncClient
) -> None:
    tokens = [
        (await client.post(f"/v1/players/{player}/embed-token")).json()["token"]
        for player in ("own", "other")
    ]
    async with browser_of(app) as browser:
        for row in PLAYER_PAGES:
            method, _ = request_of(row)
            answers = [
                await browser.request(method, f"/embed/own?token={token}")
                for token in (*tokens, "")
            ]
            assert [answer.status_code for answer in answers] == [200, 403, 401]


@pytest.mark.parametrize("row", NOT_BY_ONESELF)
def test_what_nobody_does_by_themselves_has_a_test_in_which_they_try(row: str) -> None:
    path, _, name = NOT_BY_ONESELF[row].partition("::")
    assert row in KEYS
    assert f"async def {name}(" in (TESTS / path).read_text()
