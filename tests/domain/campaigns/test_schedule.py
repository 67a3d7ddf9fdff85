"""Times at which a campaign takes invitations, and at which it has ended."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.campaigns.terms import CampaignStatus, Schedule
from tests.builders import NOW

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)

RUNNING = Schedule(
    status=CampaignStatus.PUBLISHED,
    starts_at=NOW,
    ends_at=NOW + timedelta(days=1),
)
FOREVER = replace(RUNNING, starts_at=NOW - DAY, ends_at=None)
PAUSED = replace(RUNNING, status=CampaignStatus.PAUSED)


@pytest.mark.parametrize(
    ("schedule", "at", "is_open", "has_ended"),
    [
        (RUNNING, NOW, True, False),
        (RUNNING, NOW - timedelta(seconds=1), False, False),
        (RUNNING, NOW + timedelta(days=1), False, True),
        (FOREVER, NOW, True, False),
        (replace(RUNNING, ends_at=None), NOW + timedelta(days=9999), True, False),
        (replace(RUNNING, status=CampaignStatus.DRAFT), NOW, False, False),
        (replace(RUNNING, status=CampaignStatus.PAUSED), NOW, False, False),
        (replace(RUNNING, status=CampaignStatus.ENDED), NOW, False, True),
        (replace(RUNNING, starts_at=NOW - DAY), NOW, True, False),
        (replace(RUNNING, starts_at=NOW - DAY, ends_at=NOW), NOW, False, True),
        (replace(FOREVER, starts_at=NOW + DAY), NOW, False, False),
        (replace(FOREVER, status=CampaignStatus.DRAFT), NOW, False, False),
        (replace(FOREVER, status=CampaignStatus.PAUSED), NOW, False, False),
        (replace(FOREVER, status=CampaignStatus.ENDED), NOW, False, True),
        (replace(PAUSED, closed_since=NOW + SECOND), NOW, True, False),
        (replace(PAUSED, closed_since=NOW), NOW, False, False),
        (replace(PAUSED, closed_since=NOW + 2 * DAY), NOW + DAY, False, True),
        (replace(PAUSED, closed_since=NOW + DAY), NOW - SECOND, False, False),
    ],
)
def test_when_a_campaign_takes_invitations(
    schedule: Schedule, at: datetime, *, is_open: bool, has_ended: bool
) -> None:
    assert (schedule.is_open(at), schedule.has_ended(at)) == (is_open, has_ended)


@pytest.mark.parametrize(
    ("schedule", "is_paused"),
    [(PAUSED, True), (RUNNING, False), (replace(PAUSED, ends_at=NOW), False)],
)
def test_a_paused_campaign_is_paused_until_its_end(schedule: Schedule, *, is_paused: bool) -> None:
    assert schedule.is_paused(NOW) is is_paused


@pytest.mark.parametrize(
    ("schedule", "at", "begins_after"),
    [
        (RUNNING, NOW - timedelta(seconds=1), True),
        (RUNNING, NOW, False),
        (PAUSED, NOW - DAY, False),
    ],
)
def test_a_published_campaign_begins_at_its_start(
    schedule: Schedule, at: datetime, *, begins_after: bool
) -> None:
    assert schedule.begins_after(at) is begins_after
