"""Stages, their events and their deadlines."""

from datetime import UTC, timedelta

import pytest

from domain.lifecycle.referral import (
    CREDITED_STAGES,
    EARNING_STAGES,
    EVENT_TYPES,
    OPEN_STAGES,
    Stage,
    deposit_deadline,
    event_type,
    invitation_deadline,
)
from tests.builders import NOW, TERMS


def test_every_stage_is_announced_and_a_reinstatement_by_its_own_name() -> None:
    names = {event_type(stage, previous=None) for stage in Stage}

    assert set(EVENT_TYPES) == set(Stage)
    assert len(names) == len(Stage)
    assert event_type(Stage.REWARDED, previous=Stage.REVERSED) == "RewardReinstated"
    assert event_type(Stage.REWARDED, previous=Stage.HELD) == "RewardGranted"
    assert event_type(Stage.REWARDED, previous=Stage.SIGNED_UP) == "RewardGranted"


def test_stages_earn_or_are_credited_never_both() -> None:
    assert not EARNING_STAGES & CREDITED_STAGES
    assert EARNING_STAGES | {Stage.REWARDED} == OPEN_STAGES


def test_deadlines_are_event_times_plus_the_grace() -> None:
    in_30_days = NOW + timedelta(days=30, hours=1)

    assert NOW + TERMS.signup_window + TERMS.lateness_grace == in_30_days
    assert NOW + TERMS.deposit_window + TERMS.lateness_grace == in_30_days
    assert invitation_deadline(NOW, TERMS) == in_30_days
    assert deposit_deadline(NOW, TERMS, received_at=NOW) == in_30_days


@pytest.mark.parametrize("late_by", [timedelta(days=31), timedelta(days=60)])
def test_a_signup_received_late_still_leaves_the_grace_for_its_deposit(late_by: timedelta) -> None:
    deadline = deposit_deadline(NOW, TERMS, received_at=NOW + late_by)

    assert deadline == NOW + late_by + TERMS.lateness_grace
    assert deadline.tzinfo is UTC
