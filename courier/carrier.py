"""Second half of the courier: leased deliveries to Temporal, referral by referral."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Final

import structlog
from temporalio.client import Client

from courier.pacing.rate_limiter import RateLimiter
from courier.temporal_sender import RPC_TIMEOUT, TemporalTarget, is_away, send_delivery
from courier.work_loop import MAX_BACKOFF_S, MAX_OUTAGE_BACKOFF_S, backoff_s
from db import traces
from db.engine import Database
from db.faults import describe
from referrals.lifecycle import deliveries
from referrals.lifecycle.deliveries import Lane, LeasedDelivery
from workflows.client import workflow_id

DELIVERY_BATCH_SIZE: Final = 64
"""Also bounds the concurrent calls: deliveries of one referral are sent one after another."""
MAX_IN_FLIGHT: Final = 256
"""Bounds the calls that hang beside those of a batch; each ends by its deadline."""
PATIENCE_S: Final = 1.0
"""Seconds that a batch waits for its slowest calls before the next one begins without them."""
OUTAGE_BATCH_SIZE: Final = 4
"""Deliveries that probe Temporal while it is away."""
LEASE_DURATION: Final = timedelta(seconds=10)
"""Longer than one call may take, so that no second courier carries what a slow one still does."""
log = structlog.get_logger()
DeliveryFaults = dict[LeasedDelivery, Exception]


class Carrier:
    """Sends due deliveries of one lane; those that fail are rescheduled with backoff.

    A call that hangs is left behind after `patience_s`: the other deliveries are not waited for.
    """

    def __init__(
        self,
        database: Database,
        *,
        connect: Callable[[], Awaitable[Client]],
        task_queue: str,
        lane: Lane = Lane.ANY,
        rate_limiter: RateLimiter | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._database = database
        self._connect = connect
        self._task_queue = task_queue
        self._lane = lane
        self._rate_limiter = rate_limiter
        self._patience_s = patience_s
        self._max_batch_size = rate_limiter.batch_size if rate_limiter else DELIVERY_BATCH_SIZE
        self._target: TemporalTarget | None = None
        self._batch_size = self._max_batch_size
        self._sending: set[asyncio.Task[None]] = set()
        self._sent: list[LeasedDelivery] = []
        self._faults: DeliveryFaults = {}

    async def carry(self) -> bool:
        """Carry one batch and return whether more may be due.

        Raises the fault of a delivery when Temporal is away.
        """
        target = await self._get_target()
        if len(self._sending) >= MAX_IN_FLIGHT:
            await asyncio.wait(
                self._sending, timeout=self._patience_s, return_when=asyncio.FIRST_COMPLETED
            )
        leased = await self._lease()
        await self._send_all(target, leased)
        await self._record_results()
        return len(leased) == self._batch_size

    async def finish(self) -> None:
        """Wait for the calls that were left behind, which have a deadline, and record them."""
        if self._sending:
            await asyncio.wait(self._sending)
        await self._record_results()

    async def _get_target(self) -> TemporalTarget:
        if self._target is None:
            self._target = TemporalTarget(await self._connect(), self._task_queue)
        return self._target

    async def _lease(self) -> tuple[LeasedDelivery, ...]:
        if self._rate_limiter is not None:
            await self._rate_limiter.wait()
        async with self._database.autocommit() as session:
            leased = await deliveries.lease(
                session, limit=self._batch_size, lasting=LEASE_DURATION, lane=self._lane
            )
        if self._rate_limiter is not None:
            self._rate_limiter.consume(len(leased))
        return leased

    async def _send_all(self, target: TemporalTarget, leased: Sequence[LeasedDelivery]) -> None:
        ordered = sorted(
            leased, key=lambda delivery: (str(delivery.referral.referral_id), delivery.id)
        )
        groups = [list(g) for _, g in groupby(ordered, lambda d: d.referral.referral_id)]
        calls = [asyncio.create_task(self._send(target, group)) for group in groups]
        for call in calls:
            self._sending.add(call)
            call.add_done_callback(self._sending.discard)
        if calls:
            await asyncio.wait(calls, timeout=self._patience_s)

    async def _send(self, target: TemporalTarget, group: Sequence[LeasedDelivery]) -> None:
        faults = await _carry_in_order(target, group)
        self._sent += [delivery for delivery in group if delivery not in faults]
        self._faults |= faults

    async def _record_results(self) -> None:
        """Acknowledge what was sent since the last time, and reschedule what failed."""
        sent, faults = self._sent, self._faults
        self._sent, self._faults = [], {}
        if not sent and not faults:
            return
        async with self._database.autocommit() as session:
            await deliveries.record_results(
                session,
                sent=[delivery.id for delivery in sent],
                delays_s={d.id: _retry_delay_s(d, fault) for d, fault in faults.items()},
            )
        self._raise_outage(sent, faults)

    def _raise_outage(self, sent: Sequence[LeasedDelivery], faults: DeliveryFaults) -> None:
        """Raise when every call failed and Temporal is away; else log each fault by itself."""
        outage = next((fault for fault in faults.values() if is_away(fault)), None)
        if outage is not None and not any(delivery.needs_call for delivery in sent):
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
                with traces.span("deliver", cause=delivery.event_id, kind=delivery.kind):
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
    max_s = MAX_OUTAGE_BACKOFF_S if is_away(fault) else MAX_BACKOFF_S
    return backoff_s(delivery.attempts, max_s=max_s)
