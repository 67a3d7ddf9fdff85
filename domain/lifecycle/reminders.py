"""Reminders of a referral: the times at which its terms say what is pending."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.campaigns.terms import Terms
from domain.lifecycle.referral import Stage, token_expires_at


class ReminderKind(StrEnum):
    SIGNUP = "signup_reminder"
    DEPOSIT = "deposit_reminder"
    WINDOW_CLOSING = "window_closing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A reminder of a stage, and the window's end that it names."""

    kind: ReminderKind
    at: datetime
    window_ends_at: datetime


def reminders_of(
    stage: Stage, terms: Terms, *, invited_at: datetime, signed_up_at: datetime | None
) -> tuple[Reminder, ...]:
    """Return the reminders of the stage in their order; none without terms for them."""
    wanted = terms.reminders
    if wanted is None:
        return ()
    if stage is Stage.INVITED:
        begins, ends = invited_at, token_expires_at(invited_at, terms)
        waiting, after = ReminderKind.SIGNUP, wanted.signup_after
    elif stage is Stage.SIGNED_UP and signed_up_at is not None:
        begins, ends = signed_up_at, signed_up_at + terms.deposit_window
        waiting, after = ReminderKind.DEPOSIT, wanted.deposit_after
    else:
        return ()
    planned = []
    if after is not None:
        planned.append(Reminder(kind=waiting, at=begins + after, window_ends_at=ends))
    if wanted.closing_before is not None:
        closing = ends - wanted.closing_before
        planned.append(Reminder(kind=ReminderKind.WINDOW_CLOSING, at=closing, window_ends_at=ends))
    within = (reminder for reminder in planned if begins < reminder.at < ends)
    return tuple(sorted(within, key=lambda reminder: reminder.at))


def reminders_after(
    reminders: tuple[Reminder, ...], moment: datetime | None
) -> tuple[Reminder, ...]:
    """Return those that come later than a moment up to which all were dealt with."""
    return tuple(r for r in reminders if moment is None or r.at > moment)
