"""Reviewers: people with keys of their own."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from db.engine import Database
from referrals.access.audit import Actor
from tests.api.bodies import unique
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key


async def key_of(database: Database, owner: str) -> str:
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with database.transaction() as session:
        return await create_key(session, owner=owner, scopes=["reviews:decide"], actor=actor)


@pytest.fixture
async def second_reviewer(app: FastAPI, database: Database) -> AsyncIterator[AsyncClient]:
    """Call as another person with the right to decide."""
    async with caller(app, await key_of(database, unique("reviewer"))) as client:
        yield client
