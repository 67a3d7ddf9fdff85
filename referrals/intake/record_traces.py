"""The first spans of facts' traces: each is written by the statement that records its fact."""

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from time import time_ns
from typing import TYPE_CHECKING, Protocol

from db import traces
from db.engine import StatementExecutor
from domain.intake.facts import kind_of

if TYPE_CHECKING:
    from referrals.intake.facts import Door, RecordOutcome, Report


class Recording(Protocol):
    """The type of `record_facts`."""

    def __call__(
        self,
        session: StatementExecutor,
        reports: "Sequence[Report]",
        *,
        door: "Door",
        route: bool = True,
    ) -> "Awaitable[list[RecordOutcome]]": ...


def with_traces(record: "Callable[..., Awaitable[list[RecordOutcome]]]") -> Recording:
    """Begin the trace of each fact that is new; a copy is recorded in the trace that it has."""

    @wraps(record)
    async def record_with_traces(
        session: StatementExecutor,
        reports: "Sequence[Report]",
        *,
        door: "Door",
        route: bool = True,
    ) -> "list[RecordOutcome]":
        if not traces.are_on() or not reports:
            return await record(session, reports, door=door, route=route)
        started_ns = time_ns()
        with traces.span("record facts", cause=reports[0].fact.event_id, door=door):
            outcomes = await record(session, reports, door=door, route=route)
        for report, outcome in zip(reports, outcomes, strict=True):
            if outcome.value == "accepted":
                name, event_id = f"{kind_of(report.fact).value} by {door}", report.fact.event_id
                traces.root(name, cause=event_id, started_ns=started_ns, event_id=event_id)
        return outcomes

    return record_with_traces
