"""Referrals in a database of a module's own, all of them linked."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from db.engine import Database
from referrals.access.api_keys import list_keys, revoke
from referrals.access.audit import Actor
from referrals.chain.linking import link_new_rows
from stack.postgres import PostgresCluster
from tests.fixtures.databases import DatabaseUrls, database_copy, open_database
from tests.fixtures.keys import create_key
from tests.referrals.chain.edits import STEERED
from tests.referrals.verification.stored import store_referrals

ACTOR = Actor(name="the.operator", request_id=None, reason="a test")


@dataclass(frozen=True, slots=True)
class ChainedDatabase:
    urls: DatabaseUrls
    application: Database
    superuser: Database


@pytest.fixture(scope="module")
async def chained(
    postgres: PostgresCluster, template_database: str
) -> AsyncIterator[ChainedDatabase]:
    async with (
        database_copy(postgres, template_database) as copy,
        open_database(copy.application) as application,
        open_database(copy.superuser) as superuser,
    ):
        await store_referrals(application)
        async with application.transaction() as session:
            await create_key(session, owner="a", scopes=["referrals:read"], actor=ACTOR)
            await create_key(session, owner="b", scopes=["referrals:read"], actor=ACTOR)
            key, *_ = await list_keys(session)
            await revoke(session, key.id, ACTOR)
            for statement in STEERED:
                await session.execute(text(statement))
        await link_everything(application)
        yield ChainedDatabase(copy, application, superuser)


async def link_everything(database: Database) -> None:
    while await link_new_rows(database):
        pass
