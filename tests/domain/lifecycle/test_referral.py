"""Stages, promises, schedules and money."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.campaigns.terms import CampaignStatus, Schedule
from domain.intake.facts import Signup
from domain.lifecycle.referral import (
    EVENT_TYPES,
    Stage,
    deposit_deadline,
    event_type,
    invitation_deadline,
)
from domain.money import LARGEST_MINOR, Money
from domain.rewards.promises import RewardType, promises
from tests.builders import NOW, TERMS, signup, usd

REFERRAL = UUID(int=7)
DAY = timedelta(days=1)


def test_every_stage_is_announced_and_a_reward_given_again_by_its_own_name() -> None:
    assert set(EVENT_TYPES) == set(Stage)
    assert event_type(Stage.REWARDED, left=Stage.SIGNED_UP) == "RewardGranted"
    assert event_type(Stage.REWARDED, left=Stage.REVERSED) == "RewardReinstated"


def test_deadlines_are_event_times_plus_the_grace() -> None:
    assert invitation_deadline(NOW, TERMS) == NOW + TERMS.signup_window + TERMS.lateness_grace
    prompt = deposit_deadline(NOW, TERMS, heard_at=NOW)
    assert prompt == NOW + TERMS.deposit_window + TERMS.lateness_grace


def test_a_signup_heard_late_still_leaves_the_grace_for_its_deposit() -> None:
    heard_at = NOW + TERMS.deposit_window + DAY
    assert deposit_deadline(NOW, TERMS, heard_at=heard_at) == heard_at + TERMS.lateness_grace


def test_each_side_is_promised_its_reward_once() -> None:
    both = replace(TERMS, referee_reward=usd(500))
    first, second = promises(REFERRAL, both, referrer_id="ann", referee_id="bob")
    assert (first.reward_type, first.player_id, first.amount) == (
        RewardType.REFERRER,
        "ann",
        usd(1000),
    )
    assert (second.reward_type, second.player_id, second.amount) == (
        RewardType.REFEREE,
        "bob",
        usd(500),
    )
    assert promises(REFERRAL, both, referrer_id="ann", referee_id="bob") == (first, second)
    assert len(promises(REFERRAL, TERMS, referrer_id="ann", referee_id="bob")) == 1


@pytest.mark.parametrize(
    ("status", "starts", "ends", "is_open", "has_ended"),
    [
        (CampaignStatus.PUBLISHED, -DAY, None, True, False),
        (CampaignStatus.PUBLISHED, DAY, None, False, False),
        (CampaignStatus.PUBLISHED, -DAY, timedelta(0), False, True),
        (CampaignStatus.PUBLISHED, -DAY, DAY, True, False),
        (CampaignStatus.PAUSED, -DAY, None, False, False),
        (CampaignStatus.DRAFT, -DAY, None, False, False),
        (CampaignStatus.ENDED, -DAY, None, False, True),
    ],
)
def test_a_campaign_is_open_while_it_is_published_and_runs(
    status: CampaignStatus,
    starts: timedelta,
    ends: timedelta | None,
    *,
    is_open: bool,
    has_ended: bool,
) -> None:
    ends_at = None if ends is None else NOW + ends
    schedule = Schedule(status=status, starts_at=NOW + starts, ends_at=ends_at)
    assert (schedule.is_open(NOW), schedule.has_ended(NOW)) == (is_open, has_ended)


@pytest.mark.parametrize("minor", [-1, LARGEST_MINOR + 1])
def test_money_is_never_negative_or_absurd(minor: int) -> None:
    with pytest.raises(ValueError, match="minor units"):
        Money(minor, "USD")


def test_money_of_two_currencies_is_not_added() -> None:
    assert usd(1) + usd(2) == usd(3)
    with pytest.raises(ValueError, match="cannot add"):
        usd(1) + Money(1, "EUR")


def test_a_time_without_an_offset_is_no_time() -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="without an offset"):
        signup("ann", at=naive)
    assert isinstance(signup("ann"), Signup)
