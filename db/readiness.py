"""Readiness of the database: whether every table of the code exists, and takes writes."""

from typing import Final

from sqlalchemy import text

from db.engine import ReadSession
from db.tables import Table

_MISSING: Final = text("""
    select count(*) from unnest(cast(:names as text[])) as name where to_regclass(name) is null
""")


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
