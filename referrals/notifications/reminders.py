"""Reminders as they are written: by the act to which a referral's timer leads."""

from datetime import datetime
from typing import Final

from db.engine import Session
from db.tables import ReferralRow
from domain.campaigns.rules import RewardType
from domain.derived_ids import derived_id
from domain.lifecycle.referral import Stage
from domain.lifecycle.reminders import Reminder
from domain.notifications.messages import Kind, Pending, messages_of_reminder
from referrals.campaigns.versions import has_reminders
from referrals.lifecycle.stages import terms_of, upcoming_reminders
from referrals.notifications.writing import NewNotification, write_notifications

PENDING_AT_STAGE: Final = {Stage.INVITED: Pending.SIGNUP, Stage.SIGNED_UP: Pending.DEPOSIT}


async def remind_if_due(session: Session, referral: ReferralRow, *, now: datetime) -> None:
    """Write the reminder that is due of a locked referral before its deadline.

    Of several that are due after an outage only the last is written.
    """
    if not has_reminders(referral.terms) or now >= referral.until:
        return
    due = [reminder for reminder in upcoming_reminders(referral) if reminder.at <= now]
    if due:
        await _write(session, referral, due[-1], now=now)
        referral.reminded_until = now


async def _write(
    session: Session, referral: ReferralRow, reminder: Reminder, *, now: datetime
) -> None:
    terms = terms_of(referral)
    messages = messages_of_reminder(
        Kind(reminder.kind),
        PENDING_AT_STAGE[referral.stage],
        referrer_id=referral.referrer_id,
        referee_id=referral.referee_id,
        invited_at=referral.invited_at,
        window_ends_at=reminder.window_ends_at,
        referee_reward=terms.referee_reward or terms.rules.flat_cash(RewardType.REFEREE),
    )
    event_id = derived_id(referral.id, "reminder", reminder.kind, referral.stage)
    await write_notifications(
        session,
        [
            NewNotification(
                event_id=event_id, referral_id=referral.id, message=message, caused_at=now
            )
            for message in messages
        ],
    )
