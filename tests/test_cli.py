"""The command line as an operator runs it, with the database's URL alone."""

import asyncio
import os
import subprocess
import sys

from sqlalchemy import select

from db.engine import Database
from db.tables import ApiKey, AuditRow
from tests import ROOT
from tests.builders import unique
from tests.fixtures.databases import DatabaseUrls


async def referrals(*arguments: str, url: str = "") -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("REFERRALS_")}
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env=ours | ({"REFERRALS_DATABASE_URL": url} if url else {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def made(database: Database, owner: str) -> list[AuditRow]:
    async with database.reading() as session:
        key_id = await session.scalar(select(ApiKey.id).where(ApiKey.owner == owner))
        query = select(AuditRow).where(AuditRow.subject == f"key:{key_id}").order_by(AuditRow.id)
        return list(await session.scalars(query))


async def test_verify_needs_only_the_database(fresh_urls: DatabaseUrls) -> None:
    ended = await referrals("verify", url=fresh_urls.application)

    assert ended.returncode == 0, ended.stderr


async def test_keys_are_made_and_revoked_in_somebodys_name(
    database: Database, shared_urls: DatabaseUrls
) -> None:
    owner, url = unique("owner"), shared_urls.application
    scope = ["--owner", owner, "--scope", "events:write"]

    created = await referrals("keys", "create", *scope, "--actor", "ann", url=url)
    (entry,) = await made(database, owner)
    key_id = entry.subject.removeprefix("key:")
    revoked = await referrals("keys", "revoke", key_id, "--reason", "it leaked", url=url)

    assert created.stdout.startswith("rk_"), created.stderr
    assert revoked.returncode == 0, revoked.stderr
    entries = await made(database, owner)
    assert [entry.action for entry in entries] == ["key.create", "key.revoke"]
    assert entries[0].actor == "ann"
    assert entries[1].actor
    assert entries[1].reason == "it leaked"


async def test_an_unknown_scope_is_refused_in_a_sentence() -> None:
    ended = await referrals("keys", "create", "--owner", "x", "--scope", "everything")

    assert ended.returncode == 2
    assert ended.stderr.startswith("unknown scopes ['everything']; a key has some of codes:write")
    assert "Traceback" not in ended.stderr
