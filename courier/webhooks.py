"""Webhooks in the courier: events become deliveries, and due deliveries are sent."""

import asyncio
import random
import time
from datetime import timedelta
from typing import Final, Protocol

import structlog
from prometheus_client import CollectorRegistry

from courier.webhook_metrics import WebhookMetrics
from courier.work_loop import WorkLoop, backoff_s
from db.engine import Database
from db.faults import DATABASE_FAULTS, describe
from db.outbox_reader import LeaseLostError, OutboxReader
from domain.webhooks.retries import RetryPolicy
from domain.webhooks.sending import SendError, SendResult, WebhookRequest
from referrals.webhooks import fan_out, queue, results, upkeep
from referrals.webhooks.health import load_health
from referrals.webhooks.queue import LeasedDelivery
from referrals.webhooks.results import Failure
from referrals.webhooks.secrets import SecretKey

READER: Final = "webhooks"
"""Name under which the outbox is read."""
EVENT_BATCH_SIZE: Final = 200
TIDY_INTERVAL_S: Final = 30.0
MAX_SENDS: Final = 256
"""Attempts under way in one courier."""
LANE_WIDTH: Final = 8
"""Attempts under way to one endpoint, in all couriers."""
LEASE_DURATION: Final = timedelta(seconds=25)
"""Longer than an attempt may take and its result be recorded: no other courier sends it again."""
MAX_RECORDINGS: Final = 2
"""Connections that record results, so that the courier's other loops keep theirs."""
RECORDING_TRIES: Final = 4

log = structlog.get_logger()


class Sender(Protocol):
    """Port to the endpoints."""

    async def send(self, request: WebhookRequest) -> SendResult:
        """Make one attempt within its time limit; faults of the endpoint are values."""


def build_webhook_loops(
    database: Database, sender: Sender, registry: CollectorRegistry, *, key: SecretKey
) -> tuple[WorkLoop, ...]:
    """Make the loops, which derive secrets from the service's `key`."""
    metrics = WebhookMetrics(registry)
    writer = WebhookWriter(database, metrics)
    deliverer = WebhookDeliverer(database, sender, metrics, key=key)
    return (
        WorkLoop("webhook-events", writer.write, close=writer.release),
        WebhookLoop("webhooks", deliverer),
    )


class WebhookWriter:
    """Writes the deliveries of new events, and tidies up those that are over."""

    def __init__(self, database: Database, metrics: WebhookMetrics) -> None:
        self._database = database
        self._metrics = metrics
        self._reader = OutboxReader(database, READER)
        self._tidy_at = 0.0

    async def write(self) -> bool:
        """Write the deliveries of one batch of events and return whether more may be waiting."""
        has_more = await self._write_batch()
        if time.monotonic() >= self._tidy_at:
            async with self._database.transaction() as session:
                is_unfinished = await upkeep.tidy(session)
                self._metrics.show(await load_health(session))
            self._tidy_at = time.monotonic() + (0 if is_unfinished else TIDY_INTERVAL_S)
        return has_more

    async def _write_batch(self) -> bool:
        cursor = await self._reader.claim()
        if cursor is None:
            return False
        events = await self._reader.read_after(cursor, limit=EVENT_BATCH_SIZE)
        if not events:
            return False
        try:
            async with self._database.transaction() as session:
                await fan_out.write_deliveries(session, events)
                await self._reader.advance(session, events[-1].position)
        except LeaseLostError:
            return False
        return len(events) == EVENT_BATCH_SIZE

    async def release(self) -> None:
        await self._reader.release()


class WebhookDeliverer:
    """Sends due deliveries, each in a task of its own, and records what came of them.

    Nothing waits for the slowest: a place that becomes free is given to what is due then.
    """

    def __init__(
        self,
        database: Database,
        sender: Sender,
        metrics: WebhookMetrics,
        *,
        key: SecretKey,
        policy: RetryPolicy | None = None,
        lane_width: int = LANE_WIDTH,
        max_sends: int = MAX_SENDS,
        lasting: timedelta = LEASE_DURATION,
    ) -> None:
        self._database = database
        self._sender = sender
        self._metrics = metrics
        self._key = key
        self._policy = policy or RetryPolicy()
        self._lane_width = lane_width
        self._max_sends = max_sends
        self._lasting = lasting
        self.sends: set[asyncio.Task[None]] = set()
        self._recordings = asyncio.Semaphore(MAX_RECORDINGS)
        self.place_freed = asyncio.Event()

    async def deliver(self) -> bool:
        """Begin the attempts that are due and have a place; return whether there were any."""
        slots = self._max_sends - len(self.sends)
        if slots <= 0 or not await self._database.finds(queue.IS_DUE):
            return False
        async with self._database.transaction() as session:
            leased = await queue.lease(
                session,
                slots=slots,
                lane_width=self._lane_width,
                lasting=self._lasting,
                key=self._key,
            )
        for delivery in leased:
            task = asyncio.create_task(self._attempt(delivery))
            self.sends.add(task)
            task.add_done_callback(self._forget)
        return bool(leased)

    async def finish(self) -> None:
        """Wait for the attempts under way; those that are cancelled are repeated later."""
        try:
            while self.sends:
                await asyncio.wait(self.sends)
        finally:
            for task in self.sends:
                task.cancel()
            await asyncio.gather(*self.sends, return_exceptions=True)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self.sends.discard(task)
        self.place_freed.set()

    async def _attempt(self, delivery: LeasedDelivery) -> None:
        result = await self._send(delivery)
        self._metrics.count(result)
        async with self._recordings:
            await self._record_surely(delivery, result)

    async def _send(self, delivery: LeasedDelivery) -> SendResult:
        if isinstance(delivery.request, SendError):
            return SendResult(error=delivery.request)
        try:
            return await self._sender.send(delivery.request)
        except Exception:  # a fault of ours, which must not count against the endpoint
            log.exception("webhook_not_sent", delivery_id=str(delivery.delivery_id))
            return SendResult(error=SendError.INTERNAL)

    async def _record_surely(self, delivery: LeasedDelivery, result: SendResult) -> None:
        """Record a result; one that cannot be recorded is repeated, with the same `webhook-id`."""
        for tried in range(1, RECORDING_TRIES + 1):
            try:
                await self._record(delivery, result)
            except DATABASE_FAULTS as fault:
                if tried == RECORDING_TRIES:
                    log.warning("webhook_result_lost", error=describe(fault), **_names(delivery))
                    return
                await asyncio.sleep(backoff_s(tried))
            else:
                return

    async def _record(self, delivery: LeasedDelivery, result: SendResult) -> None:
        if result.is_delivered:
            async with self._database.autocommit() as executor:
                await results.record_delivered(executor, delivery, result, policy=self._policy)
            log.info("webhook_delivered", status=result.status, **_names(delivery))
            return
        async with self._database.transaction() as session:
            failure = await results.record_failure(
                session,
                delivery,
                result,
                policy=self._policy,
                jitter=random.random(),  # noqa: S311 - a delay is not a secret
            )
        _log_failure(delivery, result, failure)


class WebhookLoop(WorkLoop):
    """The loop that sends; it ends when the attempts under way have ended."""

    def __init__(self, name: str, deliverer: WebhookDeliverer) -> None:
        super().__init__(name, deliverer.deliver)
        self._deliverer = deliverer

    async def run(self) -> None:
        waking = asyncio.create_task(self._wake_for_free_places())
        try:
            await super().run()
            await self._deliverer.finish()
        finally:
            waking.cancel()

    async def _wake_for_free_places(self) -> None:
        while True:
            await self._deliverer.place_freed.wait()
            self._deliverer.place_freed.clear()
            self.wake_up.set()


def _names(delivery: LeasedDelivery) -> dict[str, str | int]:
    return {
        "webhook_id": str(delivery.webhook_id),
        "event_id": str(delivery.event_id),
        "type": delivery.type,
        "attempts": delivery.attempts,
    }


def _log_failure(delivery: LeasedDelivery, result: SendResult, failure: Failure) -> None:
    log.warning(
        "webhook_failed",
        status=result.status,
        error=result.error,
        is_last=failure.is_last,
        **_names(delivery),
    )
    if failure.disabled:
        webhook_id = str(delivery.webhook_id)
        log.error("webhook_disabled", webhook_id=webhook_id, reason=failure.disabled)
