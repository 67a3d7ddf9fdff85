"""People at the console, signed in by a link as `referrals console-link` makes it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from db.engine import Database
from referrals.access.audit import Actor
from referrals.access.console import people
from referrals.access.console.roles import Role

BASE_URL = "https://console.test"
_CSRF = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')

_VERSION = re.compile(r'name="version" value="([0-9a-f]+)"')


@dataclass(frozen=True, slots=True)
class Operator:
    """A signed-in browser without scripts."""

    browser: AsyncClient

    async def opens(self, path: str) -> Response:
        return await self.browser.get(path)

    async def sends(self, path: str, *, seen_on: str, **fields: str) -> Response:
        """Send a form with the token and the version of the page on which it is."""
        page = await self.browser.get(seen_on)
        token = _CSRF.search(page.text)
        assert token is not None, page.text
        version = _VERSION.search(page.text)
        read = {"version": version[1]} if version else {}
        return await self.browser.post(path, data={"csrf_token": token[1], **read, **fields})


async def link_token(database: Database, *, role: Role, name: str) -> str:
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with database.transaction() as session:
        return await people.create_link(
            session, name=name, role=role, actor=actor, now=datetime.now(UTC)
        )


@asynccontextmanager
async def browser_of(app: FastAPI) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app=app)
    async with AsyncClient(transport=transport, base_url=BASE_URL, trust_env=False) as browser:
        yield browser


@asynccontextmanager
async def signed_in(
    app: FastAPI, database: Database, *, role: Role, name: str
) -> AsyncIterator[Operator]:
    token = await link_token(database, role=role, name=name)
    async with browser_of(app) as browser:
        answer = await browser.get(f"/console/sign-in?token={token}")
        assert answer.status_code == 303
        yield Operator(browser)
