"""Migrations that commit before their end, cut off at each of their statements and run again."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from typing import Any, Final

import pytest
from sqlalchemy import Engine, event, text

from db.migrate import MIGRATIONS, upgrade
from tests.fixtures.databases import DatabaseUrls, open_database

NEWEST: Final = int(os.environ.get("CUT_MIGRATIONS", "3"))
"""Migrations to cut off: one that was cut in its own change is not edited later. 99 are all."""
COMMITTING: Final = sorted(
    path.stem
    for path in (MIGRATIONS / "versions").glob("*.py")
    if "autocommit_block" in path.read_text()
)[-NEWEST:]
INVALID: Final = """
    SELECT (SELECT count(*) FROM pg_index WHERE NOT indisvalid)
         + (SELECT count(*) FROM pg_constraint WHERE NOT convalidated AND conname = ANY(:validated))
"""
VALIDATED: Final = (
    "ck_holds_reason",
    "ck_transfers_movement",
    "ck_transfers_names_its_reward",
)


class CutError(Exception):
    """The end of a migration in its middle."""


@pytest.mark.parametrize("name", COMMITTING)
async def test_a_migration_that_was_cut_off_anywhere_is_run_again(
    empty_urls: DatabaseUrls, name: str
) -> None:
    migration = import_module(f"db.migrations.versions.{name}")
    url, revision = empty_urls.owner, migration.revision
    await asyncio.to_thread(upgrade, url, revision=migration.down_revision)

    cuts = await asyncio.to_thread(_run_until_whole, url, revision)
    assert cuts > 2
    async with open_database(url) as database, database.reading() as session:
        assert await session.scalar(text("SELECT version_num FROM alembic_version")) == revision
        assert await session.scalar(text(INVALID), {"validated": list(VALIDATED)}) == 0


async def test_what_is_left_of_an_index_is_made_anew(empty_urls: DatabaseUrls) -> None:
    unfinished = "ix_facts_player_time"
    await asyncio.to_thread(upgrade, empty_urls.owner, revision="0058")
    async with open_database(empty_urls.owner) as owner, owner.transaction() as session:
        await session.execute(text(f"CREATE INDEX {unfinished} ON facts (player_id)"))
    async with open_database(empty_urls.superuser) as superuser, superuser.transaction() as session:
        await session.execute(
            text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(:name)"),
            {"name": unfinished},
        )

    await asyncio.to_thread(upgrade, empty_urls.owner, revision="0061")

    async with open_database(empty_urls.owner) as owner, owner.reading() as session:
        assert await session.scalar(text(INVALID), {"validated": []}) == 0
        made = await session.scalar(text(f"SELECT pg_get_indexdef('{unfinished}'::regclass)"))
        assert str(made).endswith("(player_id, kind, occurred_at)")


def _run_until_whole(url: str, revision: str) -> int:
    """Run a migration again and again, each time cut off one statement later."""
    for number in count():
        try:
            with _cut_at(number):
                upgrade(url, revision=revision)
        except CutError:
            continue
        return number
    raise AssertionError


@contextmanager
def _cut_at(number: int) -> Iterator[None]:
    statements = count()

    def cut(*_: Any) -> None:  # noqa: ANN401 - as the event gives them
        if next(statements) == number:
            raise CutError

    event.listen(Engine, "before_cursor_execute", cut)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", cut)
