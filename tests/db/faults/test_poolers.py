"""PgBouncer between the processes and Postgres: refused in words, or used in session mode."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from db.connecting import PoolerError
from db.engine import STATEMENT_TIMEOUT_MS, Database
from db.notifications import CHANNEL, listen
from stack import ports
from stack.account import Account
from stack.child import ChildProcess, ChildSpec
from stack.postgres import PostgresCluster
from stack.probes import accepts_queries
from tests.fixtures.databases import DatabaseUrls

BOUND_S = 60.0
PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
IGNORED = ",".join(
    [
        *("statement_timeout", "idle_in_transaction_session_timeout", "jit"),
        *("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count"),
    ]
)
pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="needs the Debian package `pgbouncer`")


@asynccontextmanager
async def pgbouncer(
    postgres: PostgresCluster, urls: DatabaseUrls, directory: Path, **options: str
) -> AsyncIterator[str]:
    """Run PgBouncer before a database and yield the URL with which it is reached."""
    assert PGBOUNCER is not None
    url, port = make_url(urls.application), ports.find_free()
    (directory / "users").write_text(f'"{url.username}" "{url.password}"\n')
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": str(port),
        "auth_type": "plain",
        "auth_file": "users",
        "unix_socket_dir": "",
        **options,
    }
    lines = [f"{name} = {value}" for name, value in settings.items()]
    target = f"{url.database} = host=127.0.0.1 port={url.port}"
    (directory / "pgbouncer.ini").write_text(
        "\n".join(["[databases]", target, "[pgbouncer]", *lines]) + "\n"
    )
    _own(postgres.account, directory)
    process = ChildProcess(
        ChildSpec(
            name="pgbouncer",
            command=[PGBOUNCER, "pgbouncer.ini"],
            readiness_probe=accepts_queries(
                f"postgresql://{url.username}:{url.password}@127.0.0.1:{port}/{url.database}"
            ),
            account=postgres.account,
            directory=directory,
        ),
        logs=directory,
    )
    try:
        await process.wait_until_ready()
        yield url.set(port=port).render_as_string(hide_password=False)
    finally:
        await process.stop()


@pytest.fixture
def reachable(postgres: PostgresCluster) -> Path:
    """Return a directory that the account of Postgres reaches."""
    directory = postgres.base_directory / "pgbouncer"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    return directory


@pytest.mark.parametrize("ignored", ["extra_float_digits", IGNORED])
async def test_transaction_mode_is_refused_in_words(
    postgres: PostgresCluster, fresh_urls: DatabaseUrls, reachable: Path, ignored: str
) -> None:
    options = {"pool_mode": "transaction", "ignore_startup_parameters": ignored}
    async with (
        pgbouncer(postgres, fresh_urls, reachable, **options) as url,
        Database.open(url) as database,
    ):
        with pytest.raises(PoolerError, match="pooler=session"):
            async with database.reading() as session:
                await session.execute(text("select 1"))


async def test_session_mode_keeps_settings_and_notifications(
    postgres: PostgresCluster, fresh_urls: DatabaseUrls, reachable: Path
) -> None:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    async with (
        asyncio.timeout(BOUND_S),
        pgbouncer(postgres, fresh_urls, reachable, pool_mode="session") as url,
        Database.open(f"{url}?pooler=session") as database,
    ):
        listening = asyncio.create_task(listen(f"{url}?pooler=session", heard.put_nowait))
        assert await heard.get() is None
        async with database.transaction() as session:
            await session.execute(text(f"notify {CHANNEL}, 'news'"))
            timeout = (await session.execute(text("show statement_timeout"))).scalar_one()
        assert await heard.get() == "news"
        listening.cancel()

    assert timeout == f"{STATEMENT_TIMEOUT_MS // 1000}s"


async def test_a_direct_connection_is_none(fresh_urls: DatabaseUrls) -> None:
    async with Database.open(fresh_urls.application) as database, database.reading() as session:
        assert (await session.execute(text("select 1"))).scalar_one() == 1


def _own(account: Account, directory: Path) -> None:
    account.own(directory)
    for file in directory.iterdir():
        account.own(file)
