"""Alembic environment: one transaction per migration, one run at a time."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.address import SCHEME, DatabaseAddress
from db.connecting import connect
from db.migrate import is_modelled
from db.tables import Table

ONE_AT_A_TIME: Final = 7_364_113
"""Key of the advisory lock under which copies of `migrate` wait for each other."""


PAUSE_S: Final = 0.2
_UNFINISHED: Final = text("""
    SELECT cast(indexrelid AS regclass) FROM pg_index JOIN pg_class c ON c.oid = indexrelid
     WHERE NOT indisvalid AND c.relnamespace = cast(current_schema AS regnamespace)
       AND (c.relname LIKE 'ix\\_%' OR c.relname LIKE 'uq\\_%')
""")


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        include_name=is_modelled,
        transaction_per_migration=True,
    )
    with _alone(connection):
        _drop_unfinished(connection)
        with context.begin_transaction():
            context.run_migrations()


def _drop_unfinished(connection: Connection) -> None:
    """Drop what a run that was cut off left of an index: it is there, and no use to anybody."""
    for name in connection.execute(_UNFINISHED).scalars().all():
        connection.execute(text("SET LOCAL lock_timeout = '2s'"))
        connection.execute(text(f"DROP INDEX IF EXISTS {name}"))
    connection.commit()


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Ask again and again: one that waited inside Postgres would stop indexes from being made."""
    while not _asked(connection, "SELECT pg_try_advisory_lock(:key)"):
        time.sleep(PAUSE_S)
    try:
        yield
    finally:
        _asked(connection, "SELECT pg_advisory_unlock(:key)")


def _asked(connection: Connection, question: str) -> bool:
    if connection.invalidated or connection.closed:
        return False
    connection.rollback()
    answer = connection.execute(text(question), {"key": ONE_AT_A_TIME}).scalar_one()
    connection.commit()
    return bool(answer)


async def _connect_and_run() -> None:
    address = DatabaseAddress.parse(context.config.attributes["url"])
    # Without a deadline: a migration may take its time.
    creator = partial(connect, address, settings={}, command_timeout_s=None)
    engine = create_async_engine(
        f"{SCHEME}://", poolclass=NullPool, connect_args={"async_creator_fn": creator}
    )
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
            await connection.commit()
    finally:
        await engine.dispose()


asyncio.run(_connect_and_run())
