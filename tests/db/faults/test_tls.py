"""TLS to Postgres with a certificate made for the test, for the pool and the listener alike."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from db.engine import Database
from db.faults import DATABASE_FAULTS, is_transient
from db.notifications import CHANNEL, listen
from stack.postgres import PostgresCluster
from tests.fixtures.certificates import Authority
from tests.fixtures.databases import DatabaseUrls
from tests.proxies.encrypting import EncryptingProxy, encrypting_proxy

BOUND_S = 60.0


@pytest.fixture
async def front(postgres: PostgresCluster, authority: Authority) -> AsyncIterator[EncryptingProxy]:
    """Put TLS before the server, which was built without it."""
    async with encrypting_proxy(authority, upstream_port=postgres.port, is_postgres=True) as proxy:
        yield proxy


def url_through(front: EncryptingProxy, urls: DatabaseUrls, query: str) -> str:
    through = make_url(urls.application).set(port=front.port)
    return f"{through.render_as_string(hide_password=False)}?{query}"


@pytest.mark.parametrize("mode", ["ssl=verify-full", "sslmode=verify-ca"])
async def test_verifies_the_server_s_certificate(
    front: EncryptingProxy, fresh_urls: DatabaseUrls, authority: Authority, mode: str
) -> None:
    query = f"{mode}&sslrootcert={authority.root}&application_name=routing"
    url = url_through(front, fresh_urls, query)
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    listening = asyncio.create_task(listen(url, heard.put_nowait))
    async with asyncio.timeout(BOUND_S), Database.open(url) as database:
        assert await heard.get() is None
        async with database.transaction() as session:
            await session.execute(text(f"notify {CHANNEL}, 'news'"))
            names = (await session.scalars(_NAMES)).all()
        assert await heard.get() == "news"
    listening.cancel()

    assert list(names) == ["routing"] * 2
    assert (front.encrypted, front.plain) == (2, 0)


@pytest.mark.parametrize(
    ("query", "is_encrypted"),
    [("ssl=require", True), ("sslmode=require", True), ("", True), ("ssl=disable", False)],
)
async def test_encrypts_as_the_mode_says(
    front: EncryptingProxy, fresh_urls: DatabaseUrls, query: str, *, is_encrypted: bool
) -> None:
    async with (
        Database.open(url_through(front, fresh_urls, query)) as database,
        database.reading() as session,
    ):
        await session.execute(text("select 1"))

    assert (front.encrypted > 0, front.plain > 0) == (is_encrypted, not is_encrypted)


async def test_refuses_a_certificate_of_another_authority(
    front: EncryptingProxy, fresh_urls: DatabaseUrls, tmp_path: Path
) -> None:
    other = Authority.create(tmp_path / "other", name="another authority")
    url = url_through(front, fresh_urls, f"sslmode=verify-full&sslrootcert={other.root}")
    async with Database.open(url) as database:
        with pytest.raises(DATABASE_FAULTS) as fault:
            async with database.reading() as session:
                await session.execute(text("select 1"))

    assert is_transient(fault.value)


_NAMES = text("""
    select application_name from pg_stat_activity
     where datname = current_database() and usename = current_user
""")
