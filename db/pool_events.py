"""Acts of a pool on its connections: new ones, those that have ended, and useless ones."""

from typing import Final

import asyncpg
from sqlalchemy.engine import AdaptedConnection, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from db.faults import is_read_only, is_stale_session

_ARRAY_TYPES: Final = (
    *("varchar", "text", "uuid", "bigint", "integer", "float8", "boolean", "bytea"),
    *("timestamptz", "jsonb"),
)

_ARRAYS: Final = f"select {', '.join(f'null::{name}[]' for name in _ARRAY_TYPES)}"
"""Has all array types that statements use."""


def replace_ended_connection(
    lent: DBAPIConnection, _: ConnectionPoolEntry, __: PoolProxiedConnection
) -> None:
    """Let the pool open another connection for one that the server has ended while it was idle.

    A restart, a failover or an idle timeout is then not seen by the first statement after it.
    """
    driver: asyncpg.Connection = lent.driver_connection
    if driver.is_closed():
        raise DisconnectionError


def learn_arrays(connection: AdaptedConnection, _: ConnectionPoolEntry) -> None:
    """Let the driver learn the array types at once.

    It asks the server about each that it meets first in a statement, with a query that takes it
    7 ms each time.
    """
    connection.run_async(lambda driver: driver.fetchrow(_ARRAYS))


def drop_useless_connections(context: ExceptionContext) -> None:
    """Invalidate a connection whose server did not answer, and a pool whose server is a standby."""
    fault, connection = context.original_exception, context.connection
    if connection is None or connection.invalidated:
        return
    if isinstance(fault, TimeoutError):
        # At once: a rollback would wait for the same server.
        if (driver := connection.connection.driver_connection) is not None:
            driver.terminate()
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False
    elif is_stale_session(fault) or (
        is_read_only(fault) and not connection.get_execution_options().get("postgresql_readonly")
    ):
        context.is_disconnect = True
