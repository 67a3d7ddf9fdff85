"""A player is eligible when no dimension is wrong, whatever else is reported of them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.intake.facts import PlayerStatus, StatusChange
from domain.rewards.eligibility import Eligibility, Ineligibility, eligibility
from tests.builders import NOW, unique

VERIFIED, EXCLUDED, CLOSED, RESTORED = PlayerStatus


def reported(*statuses: PlayerStatus) -> list[StatusChange]:
    """Build one change a day, in this order."""
    return [
        StatusChange(
            event_id=unique("status"),
            occurred_at=NOW + timedelta(days=day),
            player_id="a-player",
            status=status,
        )
        for day, status in enumerate(statuses)
    ]


@pytest.mark.parametrize(
    ("statuses", "reasons"),
    [
        ((), ()),
        ((VERIFIED,), ()),
        ((EXCLUDED,), (Ineligibility.SELF_EXCLUDED,)),
        ((CLOSED,), (Ineligibility.CLOSED,)),
        ((EXCLUDED, VERIFIED), (Ineligibility.SELF_EXCLUDED,)),
        ((CLOSED, VERIFIED), (Ineligibility.CLOSED,)),
        ((CLOSED, EXCLUDED), (Ineligibility.SELF_EXCLUDED, Ineligibility.CLOSED)),
        ((EXCLUDED, RESTORED), ()),
        ((EXCLUDED, CLOSED, RESTORED), ()),
        ((RESTORED, EXCLUDED), (Ineligibility.SELF_EXCLUDED,)),
        ((EXCLUDED, RESTORED, CLOSED, VERIFIED), (Ineligibility.CLOSED,)),
    ],
)
def test_each_dimension_ends_only_by_its_own_events(
    statuses: tuple[PlayerStatus, ...], reasons: tuple[Ineligibility, ...]
) -> None:
    assert eligibility(reported(*statuses)).reasons == reasons


@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("status", [EXCLUDED, CLOSED])
def test_a_restoration_ends_what_is_of_the_same_instant_whatever_their_ids(
    status: PlayerStatus, ids: tuple[str, str]
) -> None:
    wrong, restored = reported(status, RESTORED)
    at_once = (
        replace(wrong, event_id=ids[0]),
        replace(restored, event_id=ids[1], occurred_at=wrong.occurred_at),
    )
    assert eligibility(at_once).reasons == ()


@given(statuses=st.lists(st.sampled_from(PlayerStatus), max_size=6), draw=st.data())
def test_the_order_of_reports_changes_nothing(
    statuses: list[PlayerStatus], draw: st.DataObject
) -> None:
    changes = reported(*statuses)
    copies = draw.draw(st.lists(st.sampled_from(changes))) if changes else []
    shuffled = draw.draw(st.permutations([*changes, *copies]))
    assert eligibility(shuffled) == eligibility(changes)


@given(statuses=st.lists(st.sampled_from(PlayerStatus), max_size=6), day=st.integers(-1, 6))
def test_later_changes_do_not_count_as_of_an_earlier_time(
    statuses: list[PlayerStatus], day: int
) -> None:
    changes = reported(*statuses)
    known = eligibility(changes, as_of=NOW + timedelta(days=day))
    assert known == eligibility(changes[: day + 1])


def test_verified_is_remembered_through_an_exclusion() -> None:
    assert eligibility(reported(VERIFIED, EXCLUDED)) == Eligibility(
        is_verified=True, is_excluded=True
    )


def test_a_player_of_whom_nothing_was_reported_is_eligible_and_not_verified() -> None:
    assert eligibility(()) == Eligibility(is_excluded=False, is_closed=False, is_verified=False)


def test_of_two_restrictions_of_one_kind_at_once_each_is_ended_by_a_later_restoration() -> None:
    closed, excluded, restored = reported(CLOSED, EXCLUDED, RESTORED)
    at_once = replace(excluded, occurred_at=closed.occurred_at)
    assert eligibility([at_once, closed]).reasons == eligibility([closed, at_once]).reasons
    assert eligibility([restored, at_once, closed]).reasons == ()
