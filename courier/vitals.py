"""Vital signs of the whole system, which every courier shows: what waits, and who works on it."""

import math
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import structlog
from prometheus_client import CollectorRegistry
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.client import Client
from temporalio.service import RPCError

from courier.vital_gauges import VitalGauges
from db.engine import Database
from db.faults import DATABASE_FAULTS, describe
from referrals.reports import vitals
from referrals.reports.vitals import LaneLag
from referrals.verification.care_runs import newest_care

LOOK_EVERY_S: Final = 5.0
LAST_DAY_EVERY_S: Final = 60.0
"""Time between two looks at the last day, whose statements read more."""
POLLING_WITHIN: Final = timedelta(seconds=90)
"""Time within which a worker that lives asks for tasks; one long poll takes a minute."""
RPC_TIMEOUT: Final = timedelta(seconds=3)
_FACT_LANES: Final = ("routing", "updates")

log = structlog.get_logger()


class Vitals:
    """Looks every few seconds; each courier shows the same."""

    def __init__(
        self,
        database: Database,
        *,
        connect: Callable[[], Awaitable[Client]],
        task_queue: str,
        registry: CollectorRegistry,
        every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._database = database
        self._connect = connect
        self._client: Client | None = None
        self._task_queue = task_queue
        self._every_s = every_s
        self._gauges = VitalGauges(registry)
        self._next_look_s = -math.inf
        self._next_day_s = -math.inf
        self.workers_state: Literal["ok", "none", "unknown"] = "unknown"
        """Whether workers polled at the last look."""

    async def look(self) -> bool:
        """Look if it is time to; return False, for there is never more to do."""
        now_s = time.monotonic()
        if now_s < self._next_look_s:
            return False
        self._next_look_s = now_s + self._every_s
        backlog_age_s = await self._look_at_workers()
        try:
            lanes = await self._look_at_database(now_s)
        except DATABASE_FAULTS:
            self._gauges.show_unknown()
            raise
        waiting_s = max(lanes[lane].age_s for lane in _FACT_LANES)
        self._gauges.show_oldest_fact(max(waiting_s, backlog_age_s))
        return False

    async def _look_at_database(self, now_s: float) -> dict[str, LaneLag]:
        async with self._database.reading() as session:
            lanes = await vitals.load_lanes(session)
            self._gauges.show_verified(await vitals.load_verified(session))
            self._gauges.show_care(await newest_care(session))
            self._gauges.show_cases(await vitals.load_cases(session))
            self._gauges.show_budgets(await vitals.load_free_budgets(session))
        self._gauges.show_lanes(lanes)
        if now_s >= self._next_day_s:
            self._next_day_s = now_s + LAST_DAY_EVERY_S
            async with self._database.reading() as session:
                self._gauges.show_last_day(await vitals.load_last_day(session))
        return lanes

    async def _look_at_workers(self) -> float:
        """Show who polls, and return for how long what was delivered waits for a worker."""
        try:
            described = await self._describe()
        except (RPCError, RuntimeError) as fault:
            log.warning("workers_unknown", error=describe(fault))
            self._gauges.show_workers(None)
            self.workers_state = "unknown"
            return 0.0
        polling = _polling(described)
        self._gauges.show_workers(polling)
        self.workers_state = "ok" if polling else "none"
        if not described.stats.approximate_backlog_count:
            return 0.0
        return described.stats.approximate_backlog_age.ToTimedelta().total_seconds()

    async def _describe(self) -> DescribeTaskQueueResponse:
        if self._client is None:
            self._client = await self._connect()
        return await self._client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self._client.namespace,
                task_queue=TaskQueue(name=self._task_queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
                report_stats=True,
            ),
            timeout=RPC_TIMEOUT,
        )


def _polling(described: DescribeTaskQueueResponse) -> int:
    since = datetime.now(UTC) - POLLING_WITHIN
    return len(
        {
            poller.identity
            for poller in described.pollers
            if poller.last_access_time.ToDatetime(tzinfo=UTC) >= since
        }
    )
