"""Deliveries to signals: the courier's second half, referral by referral."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from courier.backoff import MAX_BACKOFF_S, MAX_OUTAGE_BACKOFF_S, backoff_s
from courier.rate_limiter import RateLimiter
from courier.temporal_sender import RPC_TIMEOUT, TemporalTarget, needs_call, send_delivery
from db.engine import Database
from referrals.lifecycle import deliveries
from referrals.lifecycle.deliveries import Lane, LeasedDelivery
from workflows.client import workflow_id

DELIVERY_BATCH_SIZE: Final = 64
"""Also bounds the calls in flight: each referral is called by itself."""
OUTAGE_BATCH_SIZE: Final = 4
"""While Temporal is away, only so many ask whether it is back."""
LEASE_DURATION: Final = timedelta(seconds=10)
"""Longer than one call may take, so that a slow courier and a second one do not both carry."""

UNAVAILABLE_STATUSES: Final = frozenset(
    {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}
)

log = structlog.get_logger()
DeliveryFaults = dict[LeasedDelivery, Exception]


class Carrier:
    """Carries what is due; what fails is given back, to be tried again later and later."""

    def __init__(
        self,
        database: Database,
        *,
        connect: Callable[[], Awaitable[Client]],
        task_queue: str,
        lane: Lane = Lane.ANY,
        pace: RateLimiter | None = None,
    ) -> None:
        self._database = database
        self._connect = connect
        self._task_queue = task_queue
        self._lane = lane
        self._rate_limiter = pace
        self._max_batch_size = pace.batch_size if pace else DELIVERY_BATCH_SIZE
        self._address: TemporalTarget | None = None
        self._batch_size = self._max_batch_size

    async def carry(self) -> bool:
        """Carry what is due; whether there may be more. Raises a fault when Temporal is away."""
        address = await self._connected()
        due = await self._lease()
        faults = await self._carried(address, due)
        async with self._database.transaction() as session:
            carried = [delivery.id for delivery in due if delivery not in faults]
            await deliveries.acknowledge(session, carried)
            await deliveries.reschedule(
                session, {d.id: _backoff_s(d, fault) for d, fault in faults.items()}
            )
        self._raise_outage(due, faults)
        return len(due) == self._batch_size

    async def _lease(self) -> tuple[LeasedDelivery, ...]:
        if self._rate_limiter is not None:
            await self._rate_limiter.kept()
        async with self._database.transaction() as session:
            due = await deliveries.lease(
                session, limit=self._batch_size, lasting=LEASE_DURATION, lane=self._lane
            )
        if self._rate_limiter is not None:
            self._rate_limiter.spend(len(due))
        return due

    async def _connected(self) -> TemporalTarget:
        if self._address is None:
            self._address = TemporalTarget(await self._connect(), self._task_queue)
        return self._address

    async def _carried(
        self, address: TemporalTarget, due: Sequence[LeasedDelivery]
    ) -> DeliveryFaults:
        ordered = sorted(
            due, key=lambda delivery: (str(delivery.referral.referral_id), delivery.id)
        )
        groups = [list(g) for _, g in groupby(ordered, lambda d: d.referral.referral_id)]
        results = await asyncio.gather(*(_carry_in_order(address, group) for group in groups))
        return {delivery: fault for faults in results for delivery, fault in faults.items()}

    def _raise_outage(self, due: Sequence[LeasedDelivery], faults: DeliveryFaults) -> None:
        """Tell an outage, which concerns all, from the faults of single deliveries."""
        outage = next((fault for fault in faults.values() if _is_away(fault)), None)
        if outage is not None and all(d in faults for d in due if needs_call(d)):
            self._batch_size = min(OUTAGE_BATCH_SIZE, self._max_batch_size)
            raise outage
        self._batch_size = self._max_batch_size
        for delivery, fault in faults.items():
            log.error(
                "delivery_failed",
                referral_id=str(delivery.referral.referral_id),
                signal=delivery.signal,
                attempts=delivery.attempts,
                error=repr(fault),
            )


async def _carry_in_order(
    address: TemporalTarget, group: Sequence[LeasedDelivery]
) -> DeliveryFaults:
    """What follows a delivery that failed fails with it, so that their order stays."""
    for index, delivery in enumerate(group):
        try:
            async with asyncio.timeout(RPC_TIMEOUT.total_seconds()):
                await send_delivery(address, delivery)
        except Exception as fault:  # noqa: BLE001 - one referral's fault must not stop the others
            return dict.fromkeys(group[index:], fault)
        _log_sent(delivery)
    return {}


def _log_sent(delivery: LeasedDelivery) -> None:
    referral_id = delivery.referral.referral_id
    log.info(
        "carried",
        kind=delivery.kind,
        event_id=delivery.event_id,
        signal=delivery.signal,
        referral_id=str(referral_id),
        workflow_id=workflow_id(referral_id),
    )


def _backoff_s(delivery: LeasedDelivery, fault: Exception) -> float:
    # In an outage the rounds themselves grow rare; what waits must not wait on after it.
    longest_s = MAX_OUTAGE_BACKOFF_S if _is_away(fault) else MAX_BACKOFF_S
    return backoff_s(delivery.attempts, longest_s=longest_s)


def _is_away(fault: Exception) -> bool:
    # A client that has never been connected says so with a plain RuntimeError.
    never_connected = type(fault) is RuntimeError and "connect" in str(fault)
    refused = isinstance(fault, RPCError) and fault.status in UNAVAILABLE_STATUSES
    return refused or never_connected or isinstance(fault, TimeoutError)
