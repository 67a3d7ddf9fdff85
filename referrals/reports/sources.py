"""Port of a source of reports other than Postgres: a warehouse of events."""

from typing import Protocol

from referrals.reports.figures import CostFigures, ReversalFigures, TimeToConversion, TopReferrer
from referrals.reports.funnel import By, FunnelRow
from referrals.reports.span import Span


class ReportSource(Protocol):
    """Reader of the reports that events alone tell, in the figures of Postgres.

    Each method returns None for what the source does not tell, or while it does not answer: then
    Postgres is read.
    """

    async def load_funnel(self, span: Span, *, by: By) -> list[FunnelRow] | None: ...

    async def load_time_to_conversion(self, span: Span) -> TimeToConversion | None: ...

    async def load_cost(self, span: Span) -> CostFigures | None: ...

    async def load_reversals(self, span: Span) -> ReversalFigures | None: ...

    async def load_top_referrers(self, span: Span, *, limit: int) -> list[TopReferrer] | None: ...
