"""Snapshots of reports at the HTTP door, where one that reads too much is refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request

from api.http.errors import FieldError, Problem
from db.engine import Database, ReadSession
from referrals.reports.figures import CostFigures, ReversalFigures, TimeToConversion, TopReferrer
from referrals.reports.funnel import By, FunnelRow
from referrals.reports.snapshots import TIMEOUT_S, ReportTooLargeError, report_snapshot
from referrals.reports.sources import ReportSource
from referrals.reports.span import Span


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


class PostgresAlone:
    """Source of a deployment without a warehouse, which tells nothing."""

    async def load_funnel(self, _: Span, *, by: By) -> list[FunnelRow] | None: ...

    async def load_time_to_conversion(self, _: Span) -> TimeToConversion | None: ...

    async def load_cost(self, _: Span) -> CostFigures | None: ...

    async def load_reversals(self, _: Span) -> ReversalFigures | None: ...

    async def load_top_referrers(self, _: Span, *, limit: int) -> list[TopReferrer] | None: ...


def warehouse_of(request: Request) -> ReportSource:
    warehouse: ReportSource | None = request.app.state.warehouse
    return warehouse or PostgresAlone()


WarehouseSource = Annotated[ReportSource, Depends(warehouse_of)]
