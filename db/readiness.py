"""Readiness of the database: whether it answers, has every table of the code, and takes writes."""

import asyncio
from typing import Final, Literal

import structlog
from sqlalchemy import text

from db.engine import Database, ReadSession
from db.faults import DATABASE_FAULTS, describe, is_transient
from db.tables import Table

PROBE_TIMEOUT_S: Final = 1
"""Bounds one probe, so that an orchestrator gets its answer in time."""

PostgresState = Literal["ok", "unavailable", "not_migrated", "read_only"]

_MISSING: Final = text("""
    select count(*) from unnest(cast(:names as text[])) as name where to_regclass(name) is null
""")

log = structlog.get_logger()


async def probe_postgres(database: Database) -> PostgresState:
    """Return the state of Postgres within PROBE_TIMEOUT_S, on a connection of its own."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S), database.probing() as session:
            if not await is_migrated(session):
                return "not_migrated"
            return "ok" if await is_writable(session) else "read_only"
    except DATABASE_FAULTS as fault:
        log.warning("postgres_unavailable", fault=describe(fault), transient=is_transient(fault))
        return "unavailable"


async def is_migrated(session: ReadSession) -> bool:
    """Return whether every modelled table exists.

    The application's role may not read Alembic's version table.
    """
    missing: int = (
        await session.execute(_MISSING, {"names": sorted(Table.metadata.tables)})
    ).scalar_one()
    return missing == 0


async def is_writable(session: ReadSession) -> bool:
    """Return whether the server takes writes: it is neither a standby nor set to read only.

    Needs a session that is not itself read-only.
    """
    value: str = (await session.execute(text("show transaction_read_only"))).scalar_one()
    return value == "off"
