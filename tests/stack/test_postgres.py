"""A real cluster with its two roles."""

import asyncpg
import pytest

from stack.postgres import temporary_cluster


async def test_gives_the_schema_to_the_owner_and_not_to_the_application() -> None:
    async with temporary_cluster() as cluster:
        owner = await asyncpg.connect(cluster.owner_dsn)
        application = await asyncpg.connect(cluster.application_dsn)
        try:
            await owner.execute("CREATE TABLE transfers (id int)")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await application.fetch("SELECT FROM transfers")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await application.execute("CREATE TABLE mine (id int)")
            assert await owner.fetchval("SHOW wal_level") == "logical"
        finally:
            await owner.close()
            await application.close()

    assert not cluster.data_directory.exists()


async def test_refuses_a_wrong_password() -> None:
    async with temporary_cluster() as cluster:
        wrong = cluster.owner_dsn.replace(cluster.keyring.owner_password, "wrong")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(wrong)
