"""Faults that pass by themselves: a standby, a migration under load, a session that was reset."""

from collections.abc import Awaitable, Callable
from socket import EAI_AGAIN, gaierror
from ssl import SSLCertVerificationError

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.engine import Database, Session
from db.faults import is_transient
from tests.db.faults.freezing import backend_of
from tests.fixtures.databases import DatabaseUrls


async def test_a_standby_is_left_with_all_its_connections(
    fresh_urls: DatabaseUrls, fresh_superuser: Database
) -> None:
    async with Database.open(fresh_urls.application, pool_size=2) as database:
        before = await _backends(database)
        await _set_read_only(fresh_superuser, fresh_urls.name, "on")
        async with fresh_superuser.autocommit() as connection:
            await connection.execute(
                text("select pg_terminate_backend(unnest(cast(:pids as int[])))"),
                {"pids": before},
            )
        faults = [await _fault_of(database, _write) for _ in range(3)]
        await _set_read_only(fresh_superuser, fresh_urls.name, "off")
        # Sessions that began on the standby would stay read-only.
        again = [await _fault_of(database, _write) for _ in range(3)]

    assert all(fault is not None and is_transient(fault) for fault in faults)
    assert again[1:] == [None, None]


async def test_connections_that_a_server_ended_while_they_were_idle_fail_no_statement(
    fresh_urls: DatabaseUrls, fresh_superuser: Database
) -> None:
    async with Database.open(fresh_urls.application, pool_size=2) as database:
        before = await _backends(database)
        async with fresh_superuser.autocommit() as connection:
            await connection.execute(
                text("select pg_terminate_backend(unnest(cast(:pids as int[])), 5000)"),
                {"pids": before},
            )
        faults = [await _fault_of(database, _write) for _ in range(3)]

    assert faults == [None, None, None]


async def test_a_column_whose_type_changes_under_load_passes(
    fresh_urls: DatabaseUrls, fresh_superuser: Database
) -> None:
    async with fresh_superuser.autocommit() as connection:
        await connection.execute(text("create table changing (id int)"))
        await connection.execute(text("grant select on changing to referrals_app"))

    async def read(session: Session) -> None:
        await session.execute(text("select id from changing"))

    async with Database.open(fresh_urls.application, pool_size=1) as database:
        assert await _fault_of(database, read) is None
        async with fresh_superuser.autocommit() as connection:
            await connection.execute(text("alter table changing alter id type bigint"))
        fault = await _fault_of(database, read)
        assert await _fault_of(database, read) is None

    assert fault is None or is_transient(fault)


async def test_a_session_without_its_prepared_statements_is_replaced(
    shared_urls: DatabaseUrls,
) -> None:
    async def read(session: Session) -> None:
        await session.execute(text("select 1"))

    async with Database.open(shared_urls.application, pool_size=1) as database:
        assert await _fault_of(database, read) is None
        async with database.autocommit() as connection:
            await connection.execute(text("deallocate all"))
        fault = await _fault_of(database, read)
        assert await _fault_of(database, read) is None

    assert fault is not None
    assert is_transient(fault)


@pytest.mark.parametrize(
    "fault",
    [
        asyncpg.ReadOnlySQLTransactionError(""),
        asyncpg.InvalidCachedStatementError(""),
        asyncpg.OutdatedSchemaCacheError(""),
        asyncpg.InternalClientError(""),
        asyncpg.CannotConnectNowError(""),
        asyncpg.AdminShutdownError(""),
        asyncpg.CrashShutdownError(""),
        asyncpg.IdleSessionTimeoutError(""),
        asyncpg.IdleInTransactionSessionTimeoutError(""),
        asyncpg.QueryCanceledError(""),
        asyncpg.LockNotAvailableError(""),
        asyncpg.DeadlockDetectedError(""),
        asyncpg.SerializationError(""),
        asyncpg.TooManyConnectionsError(""),
        asyncpg.DiskFullError(""),
        asyncpg.PostgresIOError(""),
        asyncpg.InvalidPasswordError(""),
        asyncpg.InvalidCatalogNameError(""),
        asyncpg.OutOfMemoryError(""),
        asyncpg.SnapshotTooOldError(""),
        asyncpg.InternalServerError(""),
        gaierror(EAI_AGAIN, ""),
        SSLCertVerificationError(""),
        asyncpg.ConnectionDoesNotExistError(""),
        TimeoutError(),
        ConnectionResetError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_passes(fault: Exception) -> None:
    assert is_transient(fault)
    assert is_transient(DBAPIError("select 1", {}, _translated(fault)))


@pytest.mark.parametrize(
    "fault",
    [
        asyncpg.UndefinedColumnError(""),
        asyncpg.UniqueViolationError(""),
        asyncpg.CheckViolationError(""),
        asyncpg.DataError(""),
        asyncpg.InsufficientPrivilegeError(""),
        asyncpg.FeatureNotSupportedError(""),
        asyncpg.InFailedSQLTransactionError(""),
        LookupError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_does_not_pass(fault: Exception) -> None:
    assert not is_transient(fault)


def _translated(fault: Exception) -> Exception:
    """Return a fault as the dialect raises it, with the driver's as its cause."""
    translated = Exception("translated")
    translated.__cause__ = fault
    return translated


async def _write(session: Session) -> None:
    await session.execute(text("insert into players (player_id) values (gen_random_uuid()::text)"))


async def _fault_of(
    database: Database, act: Callable[[Session], Awaitable[None]]
) -> Exception | None:
    try:
        async with database.transaction() as session:
            await act(session)
    except Exception as fault:  # noqa: BLE001 - it is what the test looks at
        return fault
    return None


async def _backends(database: Database) -> list[int]:
    async with database.transaction() as one, database.transaction() as other:
        return [await backend_of(one), await backend_of(other)]


async def _set_read_only(superuser: Database, name: str, value: str) -> None:
    async with superuser.autocommit() as connection:
        await connection.execute(text("set default_transaction_read_only = off"))
        await connection.execute(
            text(f"alter database {name} set default_transaction_read_only = {value}")
        )
