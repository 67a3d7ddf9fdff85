"""Second half of the courier: leased deliveries to Temporal, referral by referral."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from courier.pacing.rate_limiter import RateLimiter
from courier.temporal_sender import RPC_TIMEOUT, TemporalTarget, send_delivery
from courier.work_loop import MAX_BACKOFF_S, MAX_OUTAGE_BACKOFF_S, backoff_s
from db.engine import Database
from db.faults import describe
from referrals.lifecycle import deliveries
from referrals.lifecycle.deliveries import Lane, LeasedDelivery
from workflows.client import workflow_id

DELIVERY_BATCH_SIZE: Final = 64
"""Also bounds the concurrent calls: deliveries of one referral are sent one after another."""
OUTAGE_BATCH_SIZE: Final = 4
"""Deliveries that probe Temporal while it is away."""
LEASE_DURATION: Final = timedelta(seconds=10)
"""Longer than one call may take, so that no second courier carries what a slow one still does."""
UNAVAILABLE_STATUSES: Final = frozenset(
    {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}
)

log = structlog.get_logger()
DeliveryFaults = dict[LeasedDelivery, Exception]


class Carrier:
    """Sends due deliveries of one lane; those that fail are rescheduled with backoff."""

    def __init__(
        self,
        database: Database,
        *,
        connect: Callable[[], Awaitable[Client]],
        task_queue: str,
        lane: Lane = Lane.ANY,
        rate_limiter: RateLimiter | None = None,
    ) -> None:
        self._database = database
        self._connect = connect
        self._task_queue = task_queue
        self._lane = lane
        self._rate_limiter = rate_limiter
        self._max_batch_size = rate_limiter.batch_size if rate_limiter else DELIVERY_BATCH_SIZE
        self._target: TemporalTarget | None = None
        self._batch_size = self._max_batch_size

    async def carry(self) -> bool:
        """Carry one batch and return whether more may be due.

        Raises the fault of a delivery when Temporal is away.
        """
        target = await self._get_target()
        leased = await self._lease()
        faults = await self._carry_all(target, leased)
        async with self._database.transaction() as session:
            sent = [delivery.id for delivery in leased if delivery not in faults]
            await deliveries.acknowledge(session, sent)
            await deliveries.reschedule(
                session, {d.id: _retry_delay_s(d, fault) for d, fault in faults.items()}
            )
        self._raise_outage(leased, faults)
        return len(leased) == self._batch_size

    async def _get_target(self) -> TemporalTarget:
        if self._target is None:
            self._target = TemporalTarget(await self._connect(), self._task_queue)
        return self._target

    async def _lease(self) -> tuple[LeasedDelivery, ...]:
        if self._rate_limiter is not None:
            await self._rate_limiter.wait()
        async with self._database.transaction() as session:
            leased = await deliveries.lease(
                session, limit=self._batch_size, lasting=LEASE_DURATION, lane=self._lane
            )
        if self._rate_limiter is not None:
            self._rate_limiter.consume(len(leased))
        return leased

    async def _carry_all(
        self, target: TemporalTarget, leased: Sequence[LeasedDelivery]
    ) -> DeliveryFaults:
        ordered = sorted(
            leased, key=lambda delivery: (str(delivery.referral.referral_id), delivery.id)
        )
        groups = [list(g) for _, g in groupby(ordered, lambda d: d.referral.referral_id)]
        results = await asyncio.gather(*(_carry_in_order(target, group) for group in groups))
        return {delivery: fault for faults in results for delivery, fault in faults.items()}

    def _raise_outage(self, leased: Sequence[LeasedDelivery], faults: DeliveryFaults) -> None:
        """Raise when every call failed and Temporal is away; else log each fault by itself."""
        outage = next((fault for fault in faults.values() if _is_away(fault)), None)
        if outage is not None and all(d in faults for d in leased if d.needs_call):
            self._batch_size = min(OUTAGE_BATCH_SIZE, self._max_batch_size)
            raise outage
        self._batch_size = self._max_batch_size
        for delivery, fault in faults.items():
            log.error(
                "delivery_unreadable" if fault is delivery.fault else "delivery_failed",
                delivery_id=delivery.id,
                referral_id=str(delivery.referral.referral_id),
                signal=delivery.signal,
                attempts=delivery.attempts,
                error=describe(fault),
            )


async def _carry_in_order(
    target: TemporalTarget, group: Sequence[LeasedDelivery]
) -> DeliveryFaults:
    """Send one referral's deliveries; after a fault the rest fails too, which keeps their order."""
    for index, delivery in enumerate(group):
        if delivery.fault is not None:
            return dict.fromkeys(group[index:], delivery.fault)
        try:
            async with asyncio.timeout(RPC_TIMEOUT.total_seconds()):
                await send_delivery(target, delivery)
        except Exception as fault:  # noqa: BLE001 - one referral's fault must not stop the others
            return dict.fromkeys(group[index:], fault)
        _log_sent(delivery)
    return {}


def _log_sent(delivery: LeasedDelivery) -> None:
    referral_id = delivery.referral.referral_id
    log.info(
        "delivery_sent",
        kind=delivery.kind,
        event_id=delivery.event_id,
        signal=delivery.signal,
        referral_id=str(referral_id),
        workflow_id=workflow_id(referral_id),
    )


def _retry_delay_s(delivery: LeasedDelivery, fault: Exception) -> float:
    # In an outage the work loop itself backs off; deliveries must not wait on after it has ended.
    max_s = MAX_OUTAGE_BACKOFF_S if _is_away(fault) else MAX_BACKOFF_S
    return backoff_s(delivery.attempts, max_s=max_s)


def _is_away(fault: Exception) -> bool:
    # A lazy client that has never connected raises a plain RuntimeError.
    never_connected = type(fault) is RuntimeError and "connect" in str(fault)
    refused = isinstance(fault, RPCError) and fault.status in UNAVAILABLE_STATUSES
    return refused or never_connected or isinstance(fault, TimeoutError)
