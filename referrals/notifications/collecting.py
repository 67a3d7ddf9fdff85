"""Collecting: the notifications that events of the outbox cause."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import select, text

from db import outbox
from db.engine import Session
from db.outbox_reader import OutboxEvent
from db.tables import Reward
from domain.lifecycle.reasons import ReasonCode
from domain.money import Money, RewardKind
from domain.notifications.messages import (
    EVENT_TYPES,
    OwnReward,
    ReferralEvent,
    is_about_rewards,
    messages_of,
)
from referrals.notifications.writing import NewNotification, write_notifications

# What postpones a deferred reward: its latest hold that has an end. The end of a hold period is
# also in the reward, where it stays after the hold was cleared.
_POSTPONED_UNTIL: Final = text("""
    select distinct on (referral_id) referral_id, until from holds
     where referral_id = any(:referral_ids) and until is not null and reason <> 'hold_period'
     order by referral_id, since desc
""")


_FAULTS: Final = (KeyError, TypeError, ValueError)
"""Faults of one event, such as fields that a later release renamed."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class StoredRewards:
    """A referral's rewards by the tables, for events that do not show them."""

    rewards: tuple[OwnReward, ...] = ()
    held_until: datetime | None = None
    postponed_until: datetime | None = None


async def collect_notifications(session: Session, events: Sequence[OutboxEvent]) -> None:
    """Write the notifications of some events, in the order of the events."""
    wanted = [
        event
        for event in events
        if event.aggregatetype == outbox.AGGREGATE and event.type in EVENT_TYPES
    ]
    about_rewards = {UUID(event.key) for event in wanted if is_about_rewards(event.type)}
    stored = await _stored_rewards(session, about_rewards) if about_rewards else {}
    new = [new for event in wanted for new in _composed(event, stored)]
    await write_notifications(session, new)


def _composed(
    event: OutboxEvent, stored: Mapping[UUID, StoredRewards]
) -> Sequence[NewNotification]:
    """Return the notifications of an event; one that cannot be read holds up no other."""
    try:
        return _notifications_of(event, stored)
    except _FAULTS as fault:
        log.warning("event_not_told", event_id=str(event.id), error=type(fault).__name__)
        return ()


def _notifications_of(
    event: OutboxEvent, stored: Mapping[UUID, StoredRewards]
) -> Sequence[NewNotification]:
    payload, referral_id = event.payload, UUID(event.key)
    told = messages_of(_referral_event(payload, stored.get(referral_id, StoredRewards())))
    return [
        NewNotification(
            event_id=event.id,
            referral_id=referral_id,
            message=message,
            caused_at=event.created_at,
        )
        for message in told
    ]


def _referral_event(payload: dict[str, Any], stored: StoredRewards) -> ReferralEvent:
    # Release 0.2 wrote no reason codes, and may still run beside this one.
    reason_code = payload.get("reason_code")
    in_hold_period = reason_code == ReasonCode.HOLD_PERIOD
    return ReferralEvent(
        type=payload["type"],
        referrer_id=payload["referrer_id"],
        referee_id=payload["referee_id"],
        reason_code=reason_code,
        rewards=_shown_rewards(payload) or stored.rewards,
        until=stored.held_until if in_hold_period else stored.postponed_until,
    )


def _shown_rewards(payload: dict[str, Any]) -> tuple[OwnReward, ...]:
    """Return the rewards that an event shows; those of release 0.2 do not show them always."""
    return tuple(
        OwnReward(
            player_id=shown["player_id"],
            amount=Money(shown["amount"]["minor"], shown["amount"]["currency"]),
            kind=RewardKind(shown.get("kind", RewardKind.CASH)),
        )
        for shown in payload.get("rewards", ())
    )


async def _stored_rewards(
    session: Session, referral_ids: Collection[UUID]
) -> dict[UUID, StoredRewards]:
    query = (
        select(Reward)
        .where(Reward.referral_id.in_(referral_ids))
        .order_by(Reward.reward_type, Reward.kind.nulls_first())
    )
    rows = defaultdict(list)
    for row in await session.scalars(query):
        rows[row.referral_id].append(row)
    found = await session.execute(_POSTPONED_UNTIL, {"referral_ids": list(referral_ids)})
    postponed = {row.referral_id: row.until for row in found}
    return {
        referral_id: StoredRewards(
            rewards=tuple(_own_reward(row) for row in rows[referral_id]),
            held_until=max(
                (row.held_until for row in rows[referral_id] if row.held_until), default=None
            ),
            postponed_until=postponed.get(referral_id),
        )
        for referral_id in referral_ids
    }


def _own_reward(row: Reward) -> OwnReward:
    return OwnReward(
        player_id=row.player_id,
        amount=Money(row.amount_minor, row.currency),
        kind=row.key.kind,
    )
