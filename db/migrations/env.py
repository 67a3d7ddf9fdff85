"""How Alembic reaches the database: one transaction, one migration run at a time."""

import asyncio
from typing import Final

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.migrate import is_modelled
from db.tables import Table

ONE_AT_A_TIME: Final = 7_364_113
"""Key of the advisory lock under which copies of `migrate` wait for each other."""


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=Table.metadata, include_name=is_modelled
    )
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
        context.run_migrations()


async def _connect_and_run() -> None:
    engine = create_async_engine(context.config.attributes["url"], poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
            await connection.commit()
    finally:
        await engine.dispose()


asyncio.run(_connect_and_run())
