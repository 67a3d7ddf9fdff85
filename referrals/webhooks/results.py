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
# What waited for an endpoint that was down is sent within a minute of its first success.
_DELIVERED: Final = text("""
    with failing as (
        select failures from webhooks where id = :webhook_id and failures > 0 for no key update
    ), recovered as (
        update webhooks set failures = 0, failing_since = null, paused_until = null
        where id = :webhook_id and exists (select from failing)
    ), woken as (
        update webhook_deliveries
        set next_attempt_at = clock_timestamp() + make_interval(secs => 60 * random())
        where webhook_id = :webhook_id and status = 'pending' and leased_until is null
        and next_attempt_at > clock_timestamp() + interval '1 minute'
        and exists (select from failing where failures >= :down_failures)
    )
    update webhook_deliveries
    set status = 'delivered', finished_at = clock_timestamp(), leased_until = null,
        last_status = :status, last_error = null
    where id = :delivery_id
""")
# The webhook's row is locked first, as it is when deliveries are leased.
_FAILED: Final = text("""
    update webhooks
    set failures = failures + 1, failing_since = coalesce(failing_since, clock_timestamp())
    where id = :webhook_id and deleted_at is null
    returning failures, failing_since, clock_timestamp() as now
""")
_PAUSE: Final = text("""
    update webhooks set paused_until = greatest(
        paused_until, clock_timestamp() + make_interval(secs => :pause_s)
    )
    where id = :webhook_id
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Endpoint:
    """An endpoint after a failed attempt."""

    failing_since: datetime
    failures: int
    now: datetime


async def record_delivered(
    executor: StatementExecutor,
    delivery: LeasedDelivery,
    result: SendResult,
    *,
    policy: RetryPolicy,
) -> None:
    """Record a success, also one that is heard after its lease."""
    values = {
        "delivery_id": delivery.delivery_id,
        "webhook_id": delivery.webhook_id,
        "status": result.status,
        "down_failures": policy.down_failures,
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
        endpoint = await _count_failure(session, delivery.webhook_id, result, policy)
        if endpoint is not None:
            is_last = is_last or policy.gives_up(due_since=delivery.due_since, now=endpoint.now)
            reason = _reason_to_disable(result, endpoint, policy)
            if reason and await _disable(session, delivery.webhook_id, reason):
                disabled = reason
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


async def _count_failure(
    session: Session, webhook_id: UUID, result: SendResult, policy: RetryPolicy
) -> _Endpoint | None:
    """Count a failure against an endpoint, and pause it where it asks for that or is down."""
    row = (await session.execute(_FAILED, {"webhook_id": webhook_id})).one_or_none()
    if row is None:
        return None
    endpoint = _Endpoint(failing_since=row.failing_since, failures=row.failures, now=row.now)
    pause_s = policy.pause_s(result)
    if pause_s is None and policy.is_down(
        failing_since=row.failing_since, failures=row.failures, now=row.now
    ):
        pause_s = policy.probe_interval_s
    if pause_s is not None:
        await session.execute(_PAUSE, {"webhook_id": webhook_id, "pause_s": pause_s})
    return endpoint


def _reason_to_disable(
    result: SendResult, endpoint: _Endpoint, policy: RetryPolicy
) -> DisabledReason | None:
    if result.is_gone:
        return DisabledReason.GONE
    is_due = policy.disables(
        failing_since=endpoint.failing_since, failures=endpoint.failures, now=endpoint.now
    )
    return DisabledReason.FAILING if is_due else None


async def _disable(session: Session, webhook_id: UUID, reason: DisabledReason) -> bool:
    """Disable a webhook and write the event that says so; return whether it was enabled."""
    row = (
        await session.execute(_DISABLE, {"webhook_id": webhook_id, "reason": reason})
    ).one_or_none()
    if row is not None:
        await _write_event(session, webhook_id, reason, row)
    return row is not None


async def _write_event(
    session: Session, webhook_id: UUID, reason: DisabledReason, row: Row[Any]
) -> None:
    """Write the event, whose id is the same for the same time of being enabled."""
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
