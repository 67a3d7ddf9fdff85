"""Whether the schema is there that this code was written for."""

from typing import Final

from sqlalchemy import text

from db.engine import ReadSession
from db.tables import Table

_MISSING: Final = text("""
    select count(*) from unnest(cast(:names as text[])) as name where to_regclass(name) is null
""")


async def is_migrated(session: ReadSession) -> bool:
    """Every table that the code knows exists; Alembic's own is not for the application's role."""
    missing: int = (
        await session.execute(_MISSING, {"names": sorted(Table.metadata.tables)})
    ).scalar_one()
    return missing == 0
