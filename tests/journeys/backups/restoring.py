"""Steps of the runbook's restore: secrets, a new cluster, the dump, and who was erased since."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url

from db.engine import Database
from referrals.chain.checking import check_chain
from referrals.personal.erasure_log import FILE_NAME as ERASURES
from stack import ports
from stack.postgres import DATABASE, cluster_for, run_cluster, sqlalchemy_url
from stack.state_directory import PORTS_FILE, SECRETS_FILE, Keyring
from tests.fixtures import dumps
from tests.test_cli import referrals


@dataclass(slots=True)
class Times:
    """Seconds that each step took."""

    taken: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.taken[step] = time.monotonic() - began

    def __str__(self) -> str:
        return ", ".join(f"{step} {took:.1f} s" for step, took in self.taken.items())


def bring_secrets(old: Path, new: Path) -> None:
    """Bring the keys, and the log of erasures, which are kept apart from backups."""
    shutil.copy(old / SECRETS_FILE, new / SECRETS_FILE)
    (new / "checkpoints").mkdir()
    shutil.copy(old / "checkpoints" / ERASURES, new / "checkpoints" / ERASURES)


async def restore(dump: str, directory: Path, times: Times) -> None:
    """Restore a dump into a new cluster, check it, and erase again who was erased since."""
    cluster = cluster_for(
        directory,
        port=ports.choose(directory / PORTS_FILE)["postgres"],
        keyring=Keyring.open(directory / SECRETS_FILE),
    )
    settings = {
        "REFERRALS_DATABASE_URL": sqlalchemy_url(cluster.application_dsn),
        "REFERRALS_OWNER_DATABASE_URL": sqlalchemy_url(cluster.owner_dsn),
        "REFERRALS_CHECKPOINT_DIRECTORY": str(directory / "checkpoints"),
        "REFERRALS_CHECKPOINT_KEY": "a key for checkpoints",
    }
    async with run_cluster(cluster, logs=directory):
        with times.of("restore"):
            await dumps.restore(dump, superuser_url(cluster.superuser_dsn))
        await assert_chain_is_green(settings["REFERRALS_DATABASE_URL"])
        erased = await referrals("erase", "--repeat", settings=settings)
        assert (erased.returncode, erased.stdout) == (0, "erased: 1\n"), erased.stderr
        await assert_chain_is_green(settings["REFERRALS_DATABASE_URL"])


async def assert_chain_is_green(url: str) -> None:
    async with Database.open(url) as database:
        report = await check_chain(database)
    assert report.ok, report.faults


def superuser_url(superuser_dsn: str) -> str:
    url = make_url(superuser_dsn).set(database=DATABASE)
    return url.render_as_string(hide_password=False)
