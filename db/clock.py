"""The database's clock, against which the clocks of other machines are checked."""

from datetime import datetime
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession

_NOW: Final = text("select clock_timestamp()")


async def database_now(session: ReadSession) -> datetime:
    """Return the time at this statement, not at the beginning of its transaction."""
    now: datetime = (await session.execute(_NOW)).scalar_one()
    return now
