"""Security headers: on every answer of every route, also on refusals and faults."""

from typing import Final

import pytest
from fastapi import FastAPI
from httpx import Response

from api.app import build_app
from db.engine import Database
from runtime.settings import Settings
from tests.api.authorisation.rows import CONSOLE, KEYS, OPEN, PLAYER_PAGES
from tests.api.authorisation.test_matrix import request_of
from tests.fixtures.api_client import browser

CACHEABLE: Final = {"/invitation.png", "/referral.js"}
"""Paths whose answer is the same for everybody."""


def assert_guarded(answer: Response) -> None:
    headers, what = answer.headers, f"{answer.request.method} {answer.request.url}"
    assert headers["x-content-type-options"] == "nosniff", what
    assert headers["strict-transport-security"] == "max-age=31536000", what
    assert headers["referrer-policy"] in {"no-referrer", "same-origin"}, what
    assert "default-src 'none'" in headers["content-security-policy"], what
    assert "frame-ancestors" in headers["content-security-policy"], what
    for name in ("x-content-type-options", "cache-control", "content-security-policy"):
        assert len(headers.get_list(name)) == 1, (what, name)
    if answer.request.url.path not in CACHEABLE:
        assert headers["cache-control"] == "no-store", what


async def test_every_route_answers_a_stranger_with_security_headers(app: FastAPI) -> None:
    async with browser(app) as stranger:
        for row in (*KEYS, *CONSOLE, *PLAYER_PAGES, *OPEN):
            assert_guarded(await stranger.request(*request_of(row)))


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nowhere"), ("PATCH", "/v1/codes"), ("GET", "/v1/codes?" + "x" * 9000)],
)
async def test_refusals_have_security_headers(app: FastAPI, method: str, path: str) -> None:
    async with browser(app) as stranger:
        answer = await stranger.request(method, path)
    assert answer.status_code in {404, 405, 414}
    assert_guarded(answer)


async def test_faults_have_security_headers(settings: Settings, database: Database) -> None:
    app = build_app(settings, database)

    @app.get("/fault")
    async def fail() -> None:
        raise ZeroDivisionError

    async with browser(app) as stranger:
        answer = await stranger.get("/fault")
    assert answer.status_code == 500
    assert_guarded(answer)


async def test_a_link_without_tls_asks_for_none(settings: Settings, database: Database) -> None:
    plain = settings.model_copy(update={"public_url": "http://127.0.0.1:8000"})
    async with browser(build_app(plain, database)) as stranger:
        answer = await stranger.get("/healthz")
    assert "strict-transport-security" not in answer.headers
