"""Results of attempts: a delivery is done, repeated later or given up, an endpoint disabled."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from db import outbox
from db.engine import Session, StatementExecutor
from domain.derived_ids import derived_id
from domain.webhooks.event_types import WEBHOOK_DISABLED
from domain.webhooks.retries import RetryPolicy
from domain.webhooks.sending import SendResult
from referrals.webhooks.queue import LeasedDelivery

# One statement, as most attempts succeed; the webhook's row is written only after a failure.
_DELIVERED: Final = text("""
    with recovered as (
        update webhooks set failures = 0, failing_since = null
        where id = :webhook_id and failures > 0
    )
    update webhook_deliveries
    set status = 'delivered', finished_at = clock_timestamp(), leased_until = null,
        last_status = :status, last_error = null
    where id = :delivery_id
""")
# The webhook's row is locked first, as it is when deliveries are leased.
_FAILED: Final = text("""
    update webhooks
    set failures = failures + 1, failing_since = coalesce(failing_since, clock_timestamp()),
        paused_until = coalesce(
            clock_timestamp() + make_interval(secs => cast(:pause_s as double precision)),
            paused_until
        )
    where id = :webhook_id and deleted_at is null
    returning failures, failing_since, clock_timestamp() as now
""")
# A lease that was lost to another attempt decides nothing any more.
_REPEAT: Final = text("""
    update webhook_deliveries
    set failures = failures + 1, leased_until = null, last_status = :status, last_error = :error,
        status = case when :is_last then 'failed' else status end,
        finished_at = case when :is_last then clock_timestamp() end,
        next_attempt_at = clock_timestamp() + make_interval(secs => :delay_s)
    where id = :delivery_id and attempts = :attempts and status = 'pending'
    and leased_until is not null
""")
_DISABLE: Final = text("""
    update webhooks set disabled_at = clock_timestamp(), disabled_reason = :reason
    where id = :webhook_id and disabled_at is null and deleted_at is null
    returning disabled_at, active_since, failing_since
""")


class DisabledReason(StrEnum):
    """The reason why a webhook was disabled."""

    FAILING = "failing"
    GONE = "gone"


REASONS: Final = {
    DisabledReason.FAILING: "No delivery has succeeded for days.",
    DisabledReason.GONE: "The endpoint answered 410 Gone.",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt: whether it was the last one, and whether the endpoint was disabled."""

    is_last: bool
    disabled: DisabledReason | None = None


async def record_delivered(
    executor: StatementExecutor, delivery: LeasedDelivery, result: SendResult
) -> None:
    """Record a success, also one that is heard after its lease."""
    values = {
        "delivery_id": delivery.delivery_id,
        "webhook_id": delivery.webhook_id,
        "status": result.status,
    }
    await executor.execute(_DELIVERED, values)


async def record_failure(
    session: Session,
    delivery: LeasedDelivery,
    result: SendResult,
    *,
    policy: RetryPolicy,
    jitter: float,
) -> Failure:
    """Record a failed attempt, schedule the next one, and disable an endpoint that only fails.

    A fault of ours counts against no endpoint. `jitter` is from 0 to 1.
    """
    is_last, disabled = result.is_final, None
    if not result.is_our_fault:
        values = {"webhook_id": delivery.webhook_id, "pause_s": policy.pause_s(result)}
        endpoint = (await session.execute(_FAILED, values)).one_or_none()
        if endpoint is not None:
            is_last = is_last or policy.gives_up(due_since=delivery.due_since, now=endpoint.now)
            disabled = await _disable_if_due(session, delivery, result, endpoint, policy)
    await session.execute(
        _REPEAT,
        {
            "delivery_id": delivery.delivery_id,
            "attempts": delivery.attempts,
            "status": result.status,
            "error": result.error,
            "is_last": is_last,
            "delay_s": policy.delay_s(delivery.failures + 1, result, jitter=jitter),
        },
    )
    return Failure(is_last, disabled)


async def _disable_if_due(
    session: Session,
    delivery: LeasedDelivery,
    result: SendResult,
    endpoint: Row[Any],
    policy: RetryPolicy,
) -> DisabledReason | None:
    if result.is_gone:
        reason = DisabledReason.GONE
    elif policy.disables(
        failing_since=endpoint.failing_since, failures=endpoint.failures, now=endpoint.now
    ):
        reason = DisabledReason.FAILING
    else:
        return None
    values = {"webhook_id": delivery.webhook_id, "reason": reason}
    row = (await session.execute(_DISABLE, values)).one_or_none()
    if row is None:
        return None
    await _write_event(session, delivery.webhook_id, reason, row)
    return reason


async def _write_event(
    session: Session, webhook_id: UUID, reason: DisabledReason, row: Row[Any]
) -> None:
    """Write the event that says so, once for each time that a webhook is disabled."""
    disabled_at: datetime = row.disabled_at
    event_id = derived_id(webhook_id, "disabled", row.active_since.isoformat())
    payload = {
        "event_id": str(event_id),
        "type": WEBHOOK_DISABLED,
        "schema_version": outbox.SCHEMA_VERSION,
        "occurred_at": disabled_at.isoformat(),
        "webhook_id": str(webhook_id),
        "failing_since": row.failing_since.isoformat(),
        "reason_code": reason.value,
        "reason": REASONS[reason],
    }
    await outbox.write_event(
        session,
        event_id=event_id,
        type_=WEBHOOK_DISABLED,
        key=f"webhook:{webhook_id}",
        payload=payload,
    )
