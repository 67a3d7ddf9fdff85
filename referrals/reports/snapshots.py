"""Snapshots for reports: one that would take too long ends early, and says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.engine import Database, ReadSession
from db.faults import is_statement_timeout

TIMEOUT_S: Final = 7.0
"""Bound of one statement of a report, below that of every other statement: reports share the
database with what pays rewards, and their callers can ask for less."""
_BOUND: Final = text("select set_config('statement_timeout', :milliseconds, true)")


class ReportTooLargeError(Exception):
    """The report reads more than can be read in its time."""


@asynccontextmanager
async def report_snapshot(
    database: Database, *, timeout_s: float = TIMEOUT_S
) -> AsyncIterator[ReadSession]:
    """Open a snapshot whose statements end after `timeout_s`, with a ReportTooLargeError."""
    try:
        async with database.snapshot() as session:
            await session.execute(_BOUND, {"milliseconds": f"{round(timeout_s * 1000)}"})
            yield session
    except DBAPIError as fault:
        if is_statement_timeout(fault):
            raise ReportTooLargeError from fault
        raise
