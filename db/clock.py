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


def time_to_act(now: datetime, *, clock: datetime, max_drift: timedelta | None) -> datetime:
    """Return the time by which an act is done: `now`, or the database's where that is far behind.

    Raises ClockAheadError for a time that is far ahead. By one of long ago, holds would be over and
    limits of other months would count. Without a bound any time goes.
    """
    if max_drift is None:
        return now
    if now - clock > max_drift:
        raise ClockAheadError(f"the workflow's clock is {now - clock} ahead of the database's")
    return now if clock - now <= max_drift else clock
