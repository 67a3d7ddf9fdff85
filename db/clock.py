"""The database's clock, against which the clocks of other machines are checked."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession

_NOW: Final = text("select clock_timestamp()")


async def database_now(session: ReadSession) -> datetime:
    """Return the time at this statement, not at the beginning of its transaction."""
    now: datetime = (await session.execute(_NOW)).scalar_one()
    return now


class ClockAheadError(RuntimeError):
    """The clock of Temporal's host is ahead: by it, windows would close before their time."""


def check_clock(now: datetime, *, clock: datetime, max_lead: timedelta | None) -> None:
    """Raise ClockAheadError for a time that is further ahead; without a bound any goes."""
    lead = now - clock
    if max_lead is not None and lead > max_lead:
        raise ClockAheadError(f"the workflow's clock is {lead} ahead of the database's")
