"""Money, facts, schedules, stages and promises."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.campaigns.terms import CampaignStatus, Schedule
from domain.intake.facts import FACT_TYPES, Fact, FactKind, kind_of
from domain.lifecycle.referral import (
    CREDITED_STAGES,
    EARNING_STAGES,
    OPEN_STAGES,
    Stage,
    deposit_deadline,
    event_type,
    invitation_deadline,
)
from domain.money import LARGEST_MINOR, Money
from domain.rewards.promises import RewardType, promises
from tests.builders import NOW, TERMS, chargeback, decision, deposit, signup, status_change, usd

RUNNING = Schedule(
    status=CampaignStatus.PUBLISHED,
    starts_at=NOW,
    ends_at=NOW + timedelta(days=1),
)
PAUSED = replace(RUNNING, status=CampaignStatus.PAUSED)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.mark.parametrize("minor", [-1, LARGEST_MINOR + 1])
def test_money_has_bounds(minor: int) -> None:
    with pytest.raises(ValueError, match="money is"):
        Money(minor, "USD")


def test_money_of_two_currencies_is_not_added() -> None:
    assert usd(1) + usd(2) == usd(3)
    with pytest.raises(ValueError, match="cannot add"):
        usd(1) + Money(1, "EUR")


def test_a_time_without_an_offset_is_no_time() -> None:
    with pytest.raises(ValueError, match="without an offset"):
        signup(at=datetime(2026, 3, 1))  # noqa: DTZ001 - the fault in question


def test_every_fact_knows_its_kind() -> None:
    paid = deposit()
    known: dict[FactKind, Fact] = {
        FactKind.SIGNUP: signup(),
        FactKind.DEPOSIT: paid,
        FactKind.CHARGEBACK: chargeback(paid),
        FactKind.PLAYER: status_change("p"),
        FactKind.DECISION: decision(),
    }

    assert all(kind_of(fact) is kind for kind, fact in known.items())
    assert set(FACT_TYPES) == set(FactKind)


@pytest.mark.parametrize(
    ("schedule", "at", "is_open", "has_ended"),
    [
        (RUNNING, NOW, True, False),
        (RUNNING, NOW - timedelta(seconds=1), False, False),
        (RUNNING, NOW + timedelta(days=1), False, True),
        (replace(RUNNING, ends_at=None), NOW + timedelta(days=9999), True, False),
        (replace(RUNNING, status=CampaignStatus.DRAFT), NOW, False, False),
        (replace(RUNNING, status=CampaignStatus.PAUSED), NOW, False, False),
        (replace(RUNNING, status=CampaignStatus.ENDED), NOW, False, True),
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


def test_every_stage_is_announced_and_a_reinstatement_by_its_own_name() -> None:
    names = {event_type(stage, left=None) for stage in Stage}

    assert len(names) == len(Stage)
    assert event_type(Stage.REWARDED, left=Stage.REVERSED) == "RewardReinstated"
    assert event_type(Stage.REWARDED, left=Stage.HELD) == "RewardGranted"


def test_stages_earn_or_are_credited_never_both() -> None:
    assert not EARNING_STAGES & CREDITED_STAGES
    assert EARNING_STAGES | {Stage.REWARDED} == OPEN_STAGES


def test_deadlines_leave_the_grace() -> None:
    heard_late = NOW + timedelta(days=60)

    assert invitation_deadline(NOW, TERMS) == NOW + timedelta(days=30, hours=1)
    assert deposit_deadline(NOW, TERMS, heard_at=NOW) == NOW + timedelta(days=30, hours=1)
    late = deposit_deadline(NOW, TERMS, heard_at=heard_late)
    assert late == heard_late + timedelta(hours=1)
    assert late.tzinfo is UTC


def test_each_side_with_an_amount_is_promised_once() -> None:
    referral_id = uuid4()
    both = replace(TERMS, referee_reward=usd(500))
    ids = {"referrer_id": "r", "referee_id": "f"}
    first, second = promises(referral_id, both, **ids)

    assert (first.reward_type, first.player_id) == (RewardType.REFERRER, "r")
    assert (second.reward_type, second.player_id) == (RewardType.REFEREE, "f")
    assert promises(referral_id, TERMS, **ids) == (first,)
    assert promises(referral_id, replace(TERMS, referee_reward=usd(0)), **ids) == (first,)
