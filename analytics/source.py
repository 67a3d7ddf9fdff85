"""The warehouse as a source of the API's reports."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from analytics import reports
from analytics.warehouse import Warehouse, faults
from referrals.reports.figures import CostFigures, ReversalFigures, TimeToConversion, TopReferrer
from referrals.reports.funnel import By, FunnelRow
from referrals.reports.span import Span

TIMEOUT_S: Final = 7.0
"""Time that a report may take, as long as one of Postgres, in seconds."""
Report = TypeVar("Report")

log = structlog.get_logger()


class WarehouseReports:
    """Reads reports in threads. A warehouse that is away is opened again by the next report."""

    def __init__(self, open_warehouse: Callable[[], Warehouse]) -> None:
        self._open_warehouse = open_warehouse
        self._opened: Warehouse | None = None
        self._lock = asyncio.Lock()

    async def load_funnel(self, span: Span, *, by: By) -> list[FunnelRow] | None:
        if by not in reports.GROUPS:
            return None
        return await self._read(lambda opened: reports.load_funnel(opened, span, by=by))

    async def load_time_to_conversion(self, span: Span) -> TimeToConversion | None:
        return await self._read(lambda opened: reports.load_time_to_conversion(opened, span))

    async def load_cost(self, span: Span) -> CostFigures | None:
        return await self._read(lambda opened: reports.load_cost(opened, span))

    async def load_reversals(self, span: Span) -> ReversalFigures | None:
        return await self._read(lambda opened: reports.load_reversals(opened, span))

    async def load_top_referrers(self, span: Span, *, limit: int) -> list[TopReferrer] | None:
        return await self._read(
            lambda opened: reports.load_top_referrers(opened, span, limit=limit)
        )

    async def _read(self, load: Callable[[Warehouse], Report]) -> Report | None:
        """Return a report, or None where the warehouse does not answer in time."""
        try:
            async with asyncio.timeout(TIMEOUT_S), self._lock:
                return await asyncio.to_thread(self._load, load)
        except faults() as fault:
            log.warning("warehouse_away", error=type(fault).__name__)
            return None

    def _load(self, load: Callable[[Warehouse], Report]) -> Report:
        if self._opened is None:
            self._opened = self._open_warehouse()
        return load(self._opened)
