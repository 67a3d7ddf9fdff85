"""Due deliveries, leased so that several couriers share them and one endpoint delays no other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from db.engine import ReadSession, Session
from domain.webhooks.sending import SendError, WebhookRequest
from referrals.webhooks import secrets
from referrals.webhooks.secrets import SecretKey

WINDOW: Final = 200
"""Due deliveries of one endpoint that are looked at, to find some whose keys are free; and keys."""

# Endpoints that may be called now; another courier leases for those that are locked. The first
# delivery in the order of its index: `exists` would do with any that is due, and a plan that was
# made while many waited would look for one among all that were ever there.
_LANES: Final = text("""
    select w.id, w.url, w.failures > 0 as is_failing
    from webhooks w
    where w.disabled_at is null and w.deleted_at is null
    and (w.paused_until is null or w.paused_until <= clock_timestamp())
    and (
        select d.next_attempt_at <= clock_timestamp() from webhook_deliveries d
        where d.webhook_id = w.id and d.status = 'pending'
        order by d.next_attempt_at, d.seq limit 1
    )
    order by w.id
    for no key update of w skip locked
""")
IS_DUE: Final = text("""
    select exists (
        select from webhooks w
        where w.disabled_at is null and w.deleted_at is null
        and (w.paused_until is null or w.paused_until <= clock_timestamp())
        and (
            select d.next_attempt_at <= clock_timestamp() from webhook_deliveries d
            where d.webhook_id = w.id and d.status = 'pending'
            order by d.next_attempt_at, d.seq limit 1
        )
    )
""")
"""Query whether an endpoint may be called now."""
# For each endpoint as many as its lane has room for, the longest due first; none whose key has an
# earlier event that is due or under way. Lanes take turns where there are fewer slots than room.
# Where few keys have all of the longest due, others are found by a walk along the index of keys, a
# step for each, from a random one on, so that none is passed over for long.
LEASE: Final = text("""
    with lanes as (
        select lane.webhook_id, lane.width, lane.width - (
            select count(*) from webhook_deliveries busy
            where busy.webhook_id = lane.webhook_id and busy.leased_until > clock_timestamp()
        ) as room
        from unnest(cast(:webhook_ids as uuid[]), cast(:widths as integer[]))
            as lane (webhook_id, width)
    ),
    chosen as (
        select free.id from lanes cross join lateral (
            with recursive oldest as materialized (
                select id, key, seq, next_attempt_at from webhook_deliveries
                where webhook_id = lanes.webhook_id and status = 'pending'
                and next_attempt_at <= clock_timestamp()
                order by next_attempt_at, seq
                limit :window
            ),
            walk as (
                select cast(gen_random_uuid() as varchar) as key, 0 as step
                where (
                    select count(*) = :window and count(distinct key) < lanes.width from oldest
                )
                union all
                select coalesce(
                    (
                        select d.key from webhook_deliveries d
                        where d.webhook_id = lanes.webhook_id and d.status = 'pending'
                        and d.key > walk.key
                        order by d.key limit 1
                    ),
                    ''
                ), walk.step + 1
                from walk where walk.step < :window
            ),
            due as (
                select * from oldest
                union
                select first.* from walk cross join lateral (
                    select d.id, d.key, d.seq, d.next_attempt_at from webhook_deliveries d
                    where d.webhook_id = lanes.webhook_id and d.status = 'pending'
                    and d.key = walk.key
                    order by d.seq limit 1
                ) first
                where first.next_attempt_at <= clock_timestamp()
            )
            select due.id, row_number() over (order by due.next_attempt_at, due.seq) as turn
            from due
            where not exists (
                select from webhook_deliveries earlier
                where earlier.webhook_id = lanes.webhook_id and earlier.key = due.key
                and earlier.seq < due.seq and earlier.status = 'pending'
                and (
                    earlier.next_attempt_at <= clock_timestamp()
                    or earlier.leased_until > clock_timestamp()
                )
            )
            order by due.next_attempt_at, due.seq
            limit greatest(lanes.room, 0)
        ) free
        order by free.turn
        limit :slots
    )
    update webhook_deliveries d
    set attempts = d.attempts + 1, last_attempt_at = clock_timestamp(),
        leased_until = clock_timestamp() + cast(:lasting as interval),
        next_attempt_at = clock_timestamp() + cast(:lasting as interval)
    from chosen
    where d.id = chosen.id
    returning d.id, d.webhook_id, d.event_id, d.type, d.seq, d.attempts, d.failures, d.due_since
""")
# The body as it is on the topic.
_BODIES: Final = text("""
    select id, payload::text as body from outbox where id = any(cast(:event_ids as uuid[]))
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedDelivery:
    """A delivery that is due; no other courier sends it until the lease ends."""

    delivery_id: UUID
    webhook_id: UUID
    event_id: UUID
    type: str
    attempts: int
    failures: int
    due_since: datetime
    request: WebhookRequest | SendError
    """The request to send, or the fault of ours that prevents it."""


async def lease(
    session: Session, *, slots: int, lane_width: int, lasting: timedelta, key: SecretKey
) -> Sequence[LeasedDelivery]:
    """Lease up to `slots` due deliveries in the order in which their attempts are to begin.

    An endpoint has at most `lane_width` attempts under way, and one while it fails.
    """
    lanes = (await session.execute(_LANES)).all()
    if not lanes:
        return ()
    values = {
        "webhook_ids": [lane.id for lane in lanes],
        "widths": [1 if lane.is_failing else lane_width for lane in lanes],
        "window": WINDOW,
        "slots": slots,
        "lasting": lasting,
    }
    rows = sorted((await session.execute(LEASE, values)).all(), key=lambda row: row.seq)
    urls = {lane.id: lane.url for lane in lanes}
    return await _load(session, rows, urls=urls, key=key)


async def _load(
    session: ReadSession, rows: Sequence[Row[Any]], *, urls: Mapping[UUID, str], key: SecretKey
) -> Sequence[LeasedDelivery]:
    event_ids = [row.event_id for row in rows]
    found = await session.execute(_BODIES, {"event_ids": event_ids})
    bodies = {row.id: row.body for row in found}
    signing = await secrets.find_signing(session, {row.webhook_id for row in rows}, key)
    return tuple(
        _leased(
            row,
            url=urls[row.webhook_id],
            body=bodies.get(row.event_id),
            signing=signing.get(row.webhook_id, ()),
        )
        for row in rows
    )


def _leased(row: Row[Any], *, url: str, body: str | None, signing: Sequence[str]) -> LeasedDelivery:
    return LeasedDelivery(
        delivery_id=row.id,
        webhook_id=row.webhook_id,
        event_id=row.event_id,
        type=row.type,
        attempts=row.attempts,
        failures=row.failures,
        due_since=row.due_since,
        request=_request(str(row.event_id), url=url, body=body, signing=signing),
    )


def _request(
    message_id: str, *, url: str, body: str | None, signing: Sequence[str]
) -> WebhookRequest | SendError:
    if body is None:
        return SendError.EVENT_GONE
    if not signing:
        return SendError.SIGNING_KEY_CHANGED
    return WebhookRequest(url=url, message_id=message_id, body=body, secrets=tuple(signing))
