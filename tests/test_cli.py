"""The command line as an operator runs it, with the database's URL alone."""

import asyncio
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DBAPIError

from db.engine import Database
from db.tables import ApiKey, AuditRow
from referrals.access.audit import Actor
from referrals.access.console import people, sessions
from referrals.access.console.roles import Role
from tests import ROOT
from tests.builders import unique
from tests.fixtures.databases import DatabaseUrls, open_database


async def referrals(
    *arguments: str,
    url: str = "",
    settings: Mapping[str, str] = MappingProxyType({}),
    directory: Path = ROOT,
) -> subprocess.CompletedProcess[str]:
    """Run a command in `directory`, whose embedded stack it finds where the url is not given."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("REFERRALS_")}
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "cli", *arguments],
        cwd=directory,
        env=ours
        | {"PYTHONPATH": str(ROOT)}
        | dict(settings)
        | ({"REFERRALS_DATABASE_URL": url} if url else {}),
        capture_output=True,
        text=True,
        timeout=120,
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


async def test_verify_exits_with_1_when_an_invariant_is_broken(
    fresh_urls: DatabaseUrls, fresh_superuser: Database
) -> None:
    async with fresh_superuser.transaction() as session:
        await session.execute(text("UPDATE accounts SET balance_minor = balance_minor + 1"))

    for options in ([], ["--whole"], ["--incremental"]):
        ended = await referrals("verify", *options, url=fresh_urls.application)

        assert ended.returncode == 1, ended.stderr
        assert "accounts_equal_entries" in ended.stdout


@pytest.mark.parametrize("database", ["nobody_listens", "no_tables"])
async def test_verify_exits_with_2_and_a_sentence_when_it_could_not_run(
    database: str, empty_urls: DatabaseUrls
) -> None:
    unreachable = "postgresql+asyncpg://somebody@127.0.0.1:1/referrals"
    url, why = {
        "nobody_listens": (unreachable, "the database did not answer"),
        "no_tables": (empty_urls.application, "run `referrals migrate`"),
    }[database]

    ended = await referrals("verify", url=url)

    assert ended.returncode == 2
    assert ended.stderr.startswith("could not verify: ")
    assert why in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


async def test_verify_repeats_itself_until_it_is_stopped(fresh_urls: DatabaseUrls) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "verify", "--every", "1"),
        cwd=ROOT,
        env=os.environ | {"REFERRALS_DATABASE_URL": fresh_urls.application},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    logged: list[str] = []
    async with asyncio.timeout(90):
        while len(logged) < 2:
            line = json.loads(await process.stdout.readline())
            if line["event"] == "verification_green":
                logged.append(line["mode"])
        process.terminate()
        assert await process.wait() == 0
    assert logged[0] == "whole"


async def test_keys_are_made_and_revoked_in_somebodys_name(
    database: Database, shared_urls: DatabaseUrls
) -> None:
    owner, url = unique("owner"), shared_urls.application
    scope = ["--owner", owner, "--scope", "events:write"]
    by_owner = {"REFERRALS_OWNER_DATABASE_URL": shared_urls.owner}

    created = await referrals("keys", "create", *scope, "--actor", "ann", settings=by_owner)
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


async def test_a_key_is_rotated_by_a_command(database: Database, shared_urls: DatabaseUrls) -> None:
    owner, url = unique("owner"), shared_urls.application
    scope = ["--owner", owner, "--scope", "wagers:write", "--days", "90"]
    by_owner = {"REFERRALS_OWNER_DATABASE_URL": shared_urls.owner}
    await referrals("keys", "create", *scope, settings=by_owner)
    (entry,) = await made(database, owner)
    key_id = entry.subject.removeprefix("key:")

    rotated = await referrals("keys", "rotate", key_id, "--overlap-hours", "0", settings=by_owner)
    again = await referrals("keys", "rotate", key_id, settings=by_owner)
    listed = await referrals("keys", "list", url=url)

    assert rotated.stdout.startswith("rk_"), rotated.stderr
    assert (again.returncode, "unknown key" in again.stderr) == (1, True)
    one, other = (line for line in listed.stdout.splitlines() if owner in line)
    assert f"{owner}  replaced  wagers:write" in one
    assert f"{owner}  valid until 20" in other


async def test_the_role_for_keys_makes_and_rotates_them_and_does_nothing_else(
    database: Database, shared_urls: DatabaseUrls
) -> None:
    owner, password = unique("owner"), "a-password"
    async with (
        open_database(shared_urls.superuser) as superuser,
        superuser.transaction() as session,
    ):
        await session.execute(text(f"ALTER ROLE referrals_keys LOGIN PASSWORD '{password}'"))
    url = make_url(shared_urls.owner).set(username="referrals_keys", password=password)
    as_role = {"REFERRALS_KEYS_DATABASE_URL": url.render_as_string(hide_password=False)}
    scope = ["--owner", owner, "--scope", "events:write"]

    created = await referrals("keys", "create", *scope, settings=as_role)
    (entry,) = await made(database, owner)
    key_id = entry.subject.removeprefix("key:")
    rotated = await referrals("keys", "rotate", key_id, settings=as_role)

    assert created.stdout.startswith("rk_"), created.stderr
    assert rotated.stdout.startswith("rk_"), rotated.stderr
    async with open_database(as_role["REFERRALS_KEYS_DATABASE_URL"]) as keys:
        for statement in (
            "select from players",
            "update api_keys set scopes = '{admin}'",
            "delete from audit",
        ):
            with pytest.raises(DBAPIError, match="permission denied"):
                await execute(keys, statement)


async def execute(database: Database, statement: str) -> None:
    async with database.transaction() as session:
        await session.execute(text(statement))


async def test_the_application_is_told_who_makes_keys(shared_urls: DatabaseUrls) -> None:
    scope = ["--owner", unique("owner"), "--scope", "admin"]
    ended = await referrals("keys", "create", *scope, url=shared_urls.application)

    assert ended.returncode == 2
    assert ended.stderr.startswith("the application's role makes no keys: set REFERRALS_KEYS_")
    assert "Traceback" not in ended.stderr


async def test_a_persons_sessions_and_links_end_by_a_command(
    database: Database, shared_urls: DatabaseUrls
) -> None:
    name, url = unique("Ann"), shared_urls.application
    now = datetime.now(UTC)
    async with database.transaction() as session:
        by = Actor(name="tests", request_id=None, reason="a test")
        tokens = [
            await people.create_link(session, name=name, role=Role.SUPPORT, actor=by, now=now)
            for _ in range(2)
        ]
        person = await people.use_link(session, tokens[0], now=now)
        assert person is not None
        cookie = await sessions.begin(session, person, request_id="one", means="a link", now=now)

    listed = await referrals("console-sessions", "list", url=url)
    ended = await referrals(
        "console-sessions", "end", f" {name.upper()} ", "--reason", "she left", url=url
    )
    again = await referrals("console-sessions", "end", name, url=url)

    assert f"{name}  support  since 2" in listed.stdout, listed.stderr
    assert (ended.returncode, ended.stdout) == (0, "ended 2\n"), ended.stderr
    assert again.returncode == 1
    async with database.transaction() as session:
        assert await sessions.find_person(session, cookie, now=now) is None
        assert await people.use_link(session, tokens[1], now=now) is None
        acts = select(AuditRow.reason, AuditRow.details).where(
            AuditRow.subject == f"person:{person.person_id}",
            AuditRow.action == "console.end_sessions",
        )
        assert (await session.execute(acts)).all() == [("she left", {"sessions": 1, "links": 1})]


async def test_an_unknown_scope_is_refused_in_a_sentence() -> None:
    ended = await referrals("keys", "create", "--owner", "x", "--scope", "everything")

    assert ended.returncode == 2
    assert ended.stderr.startswith("unknown scopes ['everything']; a key has some of codes:write")
    assert "Traceback" not in ended.stderr


async def test_shows_the_version_of_the_package() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    ended = await referrals("--version")

    assert (ended.returncode, ended.stdout) == (0, f"referrals {declared}\n")


UNREACHABLE = "postgresql+asyncpg://somebody@127.0.0.1:1/referrals"


@pytest.mark.parametrize(
    "command",
    [
        ["keys", "list"],
        ["keys", "create", "--owner", "x", "--scope", "admin"],
        ["migrate"],
        ["rebuild"],
        ["reconcile"],
        ["verify"],
    ],
    ids=" ".join,
)
async def test_a_command_without_a_database_says_so_in_a_sentence(command: list[str]) -> None:
    others = {
        "REFERRALS_OWNER_DATABASE_URL": UNREACHABLE,
        "REFERRALS_TEMPORAL_ADDRESS": "127.0.0.1:1",
        "REFERRALS_HASH_KEY": "a key for tests, not a secret",
        "REFERRALS_TOKEN_KEY": "another key for tests",
        "REFERRALS_PUBLIC_URL": "https://refer.example",
        "REFERRALS_WALLET_URL": "https://wallet.example",
        "REFERRALS_WALLET_TOKEN": "a token",
    }
    ended = await referrals(*command, url=UNREACHABLE, settings=others)

    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "did not answer" in ended.stderr.splitlines()[-1]


async def test_a_setting_that_is_missing_is_named(tmp_path: Path) -> None:
    ended = await referrals("migrate", directory=tmp_path)

    assert ended.returncode == 2
    assert (
        ended.stderr
        == "REFERRALS_OWNER_DATABASE_URL: is not set; docs/settings.md has every setting\n"
    )


async def test_the_commands_of_production_need_no_simulations() -> None:
    program = (
        "import sys; sys.modules |= dict.fromkeys(('sandbox', 'stack')); import cli; cli.main()"
    )
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert "migrate" in ended.stdout, ended.stderr
    assert "attribution-eval" not in ended.stdout
