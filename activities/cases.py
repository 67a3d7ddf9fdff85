"""Activity of cases: what time and events change in one, in one transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from temporalio import activity

from db.clock import database_now, time_to_act
from db.engine import Database
from domain.fraud.cases import CaseStanding
from referrals.fraud.cases.standing import attend

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendRequest:
    """A request to look at a case; `now` is the workflow's."""

    case_id: UUID
    now: datetime


class CaseActivities:
    def __init__(self, database: Database, max_clock_drift: timedelta | None = None) -> None:
        """Take the database; without `max_clock_drift`, where time is skipped, any `now` goes."""
        self._database = database
        self._max_clock_drift = max_clock_drift

    @activity.defn
    async def attend_case(self, request: AttendRequest) -> CaseStanding:
        """End a case in which nothing is left to decide, escalate a due one; return its standing.

        Raises LookupError for a case that is not recorded, and ClockAheadError while the workflow's
        clock is too far ahead; Temporal retries both.
        """
        async with self._database.transaction() as session:
            clock = await database_now(session)
            now = time_to_act(request.now, clock=clock, max_drift=self._max_clock_drift)
            standing = await attend(session, request.case_id, now=now)
        if standing.escalated_at == now:
            _log.warning("case_escalated", case_id=str(request.case_id), due_at=standing.due_at)
        return standing
