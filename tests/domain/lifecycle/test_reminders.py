"""Times of reminders, by stage and terms."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest

from domain.campaigns.terms import Reminders
from domain.lifecycle.referral import Stage
from domain.lifecycle.reminders import Reminder, ReminderKind, reminders_of
from tests.builders import NOW, TERMS

DAY: Final = timedelta(days=1)
ALL: Final = Reminders(signup_after=3 * DAY, deposit_after=5 * DAY, closing_before=2 * DAY)
REMINDING: Final = replace(TERMS, reminders=ALL)
SIGNED_UP_AT: Final = NOW + DAY


def planned(
    stage: Stage, reminders: Reminders | None = ALL, *, signed_up_at: datetime | None = SIGNED_UP_AT
) -> tuple[Reminder, ...]:
    terms = replace(TERMS, reminders=reminders)
    return reminders_of(stage, terms, invited_at=NOW, signed_up_at=signed_up_at)


def test_an_invitation_is_reminded_of_its_signup_and_of_its_end() -> None:
    ends = NOW + TERMS.signup_window
    assert planned(Stage.INVITED) == (
        Reminder(kind=ReminderKind.SIGNUP, at=NOW + 3 * DAY, window_ends_at=ends),
        Reminder(kind=ReminderKind.WINDOW_CLOSING, at=ends - 2 * DAY, window_ends_at=ends),
    )


def test_a_signup_is_reminded_of_its_deposit_and_of_its_end() -> None:
    ends = SIGNED_UP_AT + TERMS.deposit_window
    assert planned(Stage.SIGNED_UP) == (
        Reminder(kind=ReminderKind.DEPOSIT, at=SIGNED_UP_AT + 5 * DAY, window_ends_at=ends),
        Reminder(kind=ReminderKind.WINDOW_CLOSING, at=ends - 2 * DAY, window_ends_at=ends),
    )


def test_the_end_may_be_near_before_the_first_reminder() -> None:
    late = replace(ALL, signup_after=TERMS.signup_window - DAY)
    kinds = [reminder.kind for reminder in planned(Stage.INVITED, late)]
    assert kinds == [ReminderKind.WINDOW_CLOSING, ReminderKind.SIGNUP]


@pytest.mark.parametrize(
    "stage", [stage for stage in Stage if stage not in {Stage.INVITED, Stage.SIGNED_UP}]
)
def test_no_other_stage_is_reminded(stage: Stage) -> None:
    assert planned(stage) == ()


@pytest.mark.parametrize(
    "reminders",
    [
        None,
        Reminders(),
        Reminders(signup_after=TERMS.signup_window),
        Reminders(closing_before=TERMS.signup_window),
    ],
)
def test_nothing_is_planned_without_a_time_within_the_window(reminders: Reminders | None) -> None:
    assert planned(Stage.INVITED, reminders) == ()
