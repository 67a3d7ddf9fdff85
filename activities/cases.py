"""Activity of cases: what time and events change in one, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from temporalio import activity

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
    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def attend_case(self, request: AttendRequest) -> CaseStanding:
        """End a case in which nothing is left to decide, escalate a due one; return its standing.

        Raises LookupError for a case that is not recorded, which Temporal retries.
        """
        async with self._database.transaction() as session:
            standing = await attend(session, request.case_id, now=request.now)
        if standing.escalated_at == request.now:
            _log.warning("case_escalated", case_id=str(request.case_id), due_at=standing.due_at)
        return standing
