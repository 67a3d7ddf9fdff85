"""Files doubts as cases, and lets each changed case's workflow look at it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

import structlog
from temporalio.client import Client

from courier.temporal_sender import RPC_TIMEOUT
from courier.work_loop import MAX_OUTAGE_BACKOFF_S, backoff_s
from db.engine import Database
from db.faults import describe
from referrals.fraud.cases import deliveries, filing
from referrals.fraud.cases.deliveries import LeasedCase
from referrals.fraud.cases.store import load_start
from workflows.case.client import wake_case

FILING_BATCH_SIZE: Final = 100
"""Reviews filed in one transaction, and as many requests."""
CARRYING_BATCH_SIZE: Final = 32
"""Deliveries leased at once; also bounds the concurrent calls."""
LEASE_DURATION: Final = timedelta(seconds=10)
"""Longer than one call may take."""

log = structlog.get_logger()


class CaseCarrier:
    """Files doubts whether Temporal is there or not, then wakes the workflows of changed cases."""

    def __init__(
        self,
        database: Database,
        *,
        connect: Callable[[], Awaitable[Client]],
        task_queue: str,
    ) -> None:
        self._database = database
        self._connect = connect
        self._task_queue = task_queue
        self._client: Client | None = None

    async def carry(self) -> bool:
        """File and carry one batch, and return whether more may be due.

        Raises the fault of a call when every call failed, as while Temporal is away.
        """
        filed = await self._file()
        if not await self._database.finds(deliveries.IS_DUE):
            return filed > 0
        async with self._database.transaction() as session:
            leased = await deliveries.lease(
                session, limit=CARRYING_BATCH_SIZE, lasting=LEASE_DURATION
            )
        if leased:
            await self._wake_all(leased)
        return filed > 0 or len(leased) >= CARRYING_BATCH_SIZE

    async def _file(self) -> int:
        if not await self._database.finds(filing.IS_WAITING):
            return 0
        async with self._database.transaction() as session:
            return await filing.file_doubts(session, limit=FILING_BATCH_SIZE)

    async def _wake_all(self, leased: Sequence[LeasedCase]) -> None:
        faults = await asyncio.gather(*(self._wake(case) for case in leased))
        async with self._database.transaction() as session:
            for case, fault in zip(leased, faults, strict=True):
                if fault is None:
                    await deliveries.acknowledge(session, case.delivery_ids)
                else:
                    delay_s = backoff_s(case.attempts, max_s=MAX_OUTAGE_BACKOFF_S)
                    await deliveries.reschedule(session, case.delivery_ids, delay_s=delay_s)
        failed = [fault for fault in faults if fault is not None]
        if len(failed) == len(leased):
            raise failed[0]

    async def _wake(self, leased: LeasedCase) -> Exception | None:
        try:
            async with asyncio.timeout(RPC_TIMEOUT.total_seconds()):
                await self._send(leased)
        except Exception as fault:  # noqa: BLE001 - one case's fault must not stop the others
            log.warning("case_not_carried", case_id=str(leased.case_id), error=describe(fault))
            return fault
        return None

    async def _send(self, leased: LeasedCase) -> None:
        if self._client is None:
            self._client = await self._connect()
        async with self._database.reading() as session:
            case = await load_start(session, leased.case_id)
        await wake_case(self._client, case, task_queue=self._task_queue, rpc_timeout=RPC_TIMEOUT)
