"""Decisions on messages that are due: sent, suppressed or postponed."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from domain.notifications.messages import Audience, Kind, Message
from domain.notifications.quiet_hours import QuietHours
from domain.notifications.sending import (
    MAX_AGE,
    Circumstances,
    Postponed,
    Preferences,
    Suppression,
    may_send,
)

NOW: Final = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
QUIET: Final = Preferences(quiet_hours=QuietHours(time(22), time(8)))
PLAIN: Final = Circumstances(now=NOW)
GRANT: Final = Message(kind=Kind.REWARD_GRANTED, player_id="ann", audience=Audience.REFERRER)
REMINDER: Final = replace(GRANT, kind=Kind.SIGNUP_REMINDER)


@pytest.mark.parametrize("message", [GRANT, REMINDER])
@pytest.mark.parametrize(
    ("circumstances", "expected"),
    [
        (PLAIN, None),
        (replace(PLAIN, is_excluded=True), Suppression.EXCLUDED),
        (replace(PLAIN, preferences=Preferences(wants_messages=False)), Suppression.OPTED_OUT),
        (replace(PLAIN, was_told=True), Suppression.TOLD_BEFORE),
        (replace(PLAIN, preferences=QUIET), Postponed(datetime(2026, 3, 2, 8, tzinfo=UTC))),
        # Exclusion goes before everything else, so that nothing is kept for later.
        (replace(PLAIN, preferences=QUIET, is_excluded=True), Suppression.EXCLUDED),
    ],
)
def test_the_player_decides_but_for_an_exclusion(
    message: Message, circumstances: Circumstances, expected: Suppression | Postponed | None
) -> None:
    assert may_send(message, circumstances, caused_at=NOW) == expected


@pytest.mark.parametrize(
    ("circumstances", "reason"),
    [
        (replace(PLAIN, is_pending=False), Suppression.NO_LONGER_PENDING),
        (replace(PLAIN, campaign_is_open=False), Suppression.CAMPAIGN_CLOSED),
        (replace(PLAIN, allows_reminders=False), Suppression.JURISDICTION),
    ],
)
def test_a_reminder_has_conditions_that_news_has_not(
    circumstances: Circumstances, reason: Suppression
) -> None:
    assert may_send(REMINDER, circumstances, caused_at=NOW) is reason
    assert may_send(GRANT, circumstances, caused_at=NOW) is None


def test_what_is_a_week_old_is_no_news() -> None:
    assert may_send(GRANT, PLAIN, caused_at=NOW - MAX_AGE) is None
    late = NOW - MAX_AGE - timedelta(seconds=1)
    assert may_send(GRANT, PLAIN, caused_at=late) is Suppression.TOO_OLD


def test_quiet_hours_are_those_of_the_players_zone() -> None:
    in_tokyo = replace(QUIET, time_zone=ZoneInfo("Asia/Tokyo"))
    at = replace(PLAIN, preferences=in_tokyo)
    assert may_send(GRANT, at, caused_at=NOW) == Postponed(NOW + timedelta(minutes=30))
    awake = replace(at, now=NOW + timedelta(minutes=30))
    assert may_send(GRANT, awake, caused_at=NOW) is None
