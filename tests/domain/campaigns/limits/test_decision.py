"""Decisions on limits: no sequence of rewards exceeds one, and what exceeds waits or is refused."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns.limits.decision import (
    Counted,
    Deferred,
    Fits,
    Limit,
    LimitOf,
    Over,
    Refused,
    Used,
    decide,
)
from domain.campaigns.limits.periods import Calendar, Per, Period
from tests.builders import NOW, usd

CALENDAR: Final = Calendar(zone=UTC)
TOMORROW: Final = NOW + timedelta(days=1)
NEXT_MONTH: Final = NOW + timedelta(days=30)
LIMITS: Final = st.builds(
    Limit,
    of=st.just(LimitOf.REFERRER),
    per=st.sampled_from(Per),
    rewards=st.integers(0, 4),
    amount=st.none() | st.integers(0, 50).map(usd),
)
ASKED: Final = st.lists(st.tuples(st.integers(0, 24 * 90), st.integers(0, 20)), max_size=30)


def limit(per: Per, *, over: Over = Over.DEFER) -> Limit:
    return Limit(of=LimitOf.REFERRER, per=per, rewards=1, over=over)


def full(per: Per, until: datetime | None, *, over: Over = Over.DEFER) -> Counted:
    return Counted(limit(per, over=over), Period(None, until), Used(rewards=1))


def test_defers_to_the_end_of_the_limit_that_lasts_longest() -> None:
    counted = [full(Per.MONTH, NEXT_MONTH), full(Per.DAY, TOMORROW)]
    assert decide(ask(counted, 1)) == Deferred(limit(Per.MONTH), NEXT_MONTH)


def test_waits_without_a_date_for_a_campaign_that_has_no_end() -> None:
    counted = [full(Per.DAY, TOMORROW), full(Per.CAMPAIGN, None)]
    assert decide(ask(counted, 1)) == Deferred(limit(Per.CAMPAIGN), None)


def test_refuses_before_it_defers() -> None:
    counted = [full(Per.MONTH, NEXT_MONTH), full(Per.DAY, TOMORROW, over=Over.REFUSE)]
    assert decide(ask(counted, 1)) == Refused(limit(Per.DAY, over=Over.REFUSE))


def test_no_reward_uses_nothing() -> None:
    assert decide([(full(Per.DAY, TOMORROW), Used())]) == Fits()


def test_those_that_wait_longer_go_first_as_far_as_they_fit() -> None:
    amount = Limit(of=LimitOf.REFERRER, per=Per.DAY, amount=usd(100))
    counted = Counted(amount, Period(None, TOMORROW), Used(rewards=1, minor=50))
    waiting = [Used(1, 60), Used(1, 20)]
    assert counted.behind(waiting).used == Used(rewards=2, minor=70)


@pytest.mark.parametrize(("minor", "fits"), [(40, True), (41, False)])
def test_never_splits_rewards(minor: int, *, fits: bool) -> None:
    amount = Limit(of=LimitOf.CAMPAIGN, per=Per.DAY, amount=usd(100))
    counted = Counted(amount, Period(None, TOMORROW), Used(rewards=9, minor=60))
    assert (decide(ask([counted], minor)) == Fits()) is fits


def test_a_limit_limits_something() -> None:
    with pytest.raises(ValueError, match="rewards, of an amount"):
        Limit(of=LimitOf.CAMPAIGN, per=Per.DAY)


@given(st.lists(LIMITS, min_size=1, max_size=3), ASKED)
def test_no_sequence_of_rewards_exceeds_a_limit(
    limits: list[Limit], asked: list[tuple[int, int]]
) -> None:
    paid: list[tuple[datetime, int]] = []
    for hours, minor in sorted(asked):
        now = NOW + timedelta(hours=hours)
        if decide(ask([count(one, paid, now) for one in limits], minor)) == Fits():
            paid.append((now, minor))
    for one in limits:
        for now, _ in paid:
            used = count(one, paid, now).used
            assert one.rewards is None or used.rewards <= one.rewards
            assert one.amount is None or used.minor <= one.amount.minor


def ask(counted: list[Counted], minor: int) -> list[tuple[Counted, Used]]:
    return [(one, Used(1, minor)) for one in counted]


def count(one: Limit, paid: list[tuple[datetime, int]], now: datetime) -> Counted:
    period = CALENDAR.period(one.per, now)
    minors = [minor for at, minor in paid if CALENDAR.period(one.per, at) == period]
    return Counted(one, period, Used(len(minors), sum(minors)))
