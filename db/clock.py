"""The database's clock, against which the clocks of other machines are checked."""

from datetime import datetime

from sqlalchemy import func, select

from db.engine import ReadSession


async def database_now(session: ReadSession) -> datetime:
    """Return the time at this statement, not at the beginning of its transaction."""
    now: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return now
