"""Readiness of the schema: whether every table of the code exists."""

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
