"""`referrals verify --chain` and the courier's checkpoints, as an operator has them."""

from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry
from sqlalchemy import text

from courier.chainer import Chainer
from db.engine import Database
from tests import builders
from tests.fixtures.databases import DatabaseUrls
from tests.test_cli import referrals

KEY: Final = "a key for checkpoints"


def chainer(database: Database, directory: Path) -> Chainer:
    return Chainer(
        database, directory=directory, key=KEY.encode(), registry=CollectorRegistry(), interval_s=0
    )


async def test_the_command_names_the_first_row_that_differs_and_exits_with_1(
    fresh_urls: DatabaseUrls, fresh_database: Database, fresh_superuser: Database, tmp_path: Path
) -> None:
    settings = {
        "REFERRALS_CHECKPOINT_DIRECTORY": str(tmp_path),
        "REFERRALS_CHECKPOINT_KEY": KEY,
    }
    async with fresh_database.transaction() as session:
        await builders.an_invitation(session)
    await chainer(fresh_database, tmp_path).link()

    green = await referrals("verify", "--chain", url=fresh_urls.application, settings=settings)
    assert green.returncode == 0, green.stdout
    assert green.stdout.startswith("chain green: ")
    assert "1 checkpoints" in green.stdout

    async with fresh_superuser.transaction() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text("UPDATE audit SET actor = 'the.cfo'"))
    red = await referrals("verify", "--chain", url=fresh_urls.application, settings=settings)
    assert red.returncode == 1, red.stdout
    assert "audit 1 was changed" in red.stdout

    (tmp_path / "checkpoints.jsonl").write_text("{}\n")
    forged = await referrals("verify", "--chain", url=fresh_urls.application, settings=settings)
    assert (forged.returncode, forged.stdout) == (
        1,
        "chain red: checkpoint 1 cannot be read\n",
    )


async def test_a_checkpoint_is_written_when_there_are_new_links_and_only_then(
    fresh_database: Database, tmp_path: Path
) -> None:
    chaining = chainer(fresh_database, tmp_path)
    await chaining.link()
    await chaining.link()
    async with fresh_database.transaction() as session:
        await builders.an_invitation(session)
    await chaining.link()
    await chaining.close()

    assert len((tmp_path / "checkpoints.jsonl").read_text().splitlines()) == 2


async def test_a_setting_for_checkpoints_alone_is_refused(fresh_urls: DatabaseUrls) -> None:
    ended = await referrals(
        "verify", "--chain", url=fresh_urls.application, settings={"REFERRALS_CHECKPOINT_KEY": KEY}
    )

    assert ended.returncode == 2
    assert "CHECKPOINT_DIRECTORY and CHECKPOINT_KEY are set together" in ended.stderr
