"""Snapshots of reports at the HTTP door, where one that reads too much is refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.http.errors import FieldError, Problem
from db.engine import Database, ReadSession
from referrals.reports.snapshots import TIMEOUT_S, ReportTooLargeError, report_snapshot


@asynccontextmanager
async def reading(
    database: Database, *, timeout_s: float = TIMEOUT_S
) -> AsyncIterator[ReadSession]:
    """Open a report's snapshot; 422 `report_too_large` for one that cannot be read in time."""
    try:
        async with report_snapshot(database, timeout_s=timeout_s) as session:
            yield session
    except ReportTooLargeError as fault:
        errors = [FieldError("from", "Ask for a shorter period, or for one campaign")]
        raise Problem("report_too_large", errors=errors) from fault
