"""Replays in which many wait for limits: as if each were tried again at every period's start."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.campaigns.limits.decision import Limit, LimitOf, Over, Used
from domain.campaigns.limits.periods import Calendar, Per
from domain.campaigns.rules import Rules
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.terms import Terms
from domain.rewards.limit_use import Needs
from domain.rewards.replay import Replay, Surroundings
from domain.rewards.simulation import Earned
from tests.builders import TERMS, usd

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
HOURS = timedelta(hours=6)
TIERS = {
    "tiers": [
        {"from": 1, "flat": {"minor": 500, "currency": "USD"}},
        {"from": 3, "flat": {"minor": 1500, "currency": "USD"}},
    ]
}
REWARDS: list[list[dict[str, Any]]] = [
    [{"to": "referrer", "amount": {"flat": {"minor": 1000, "currency": "USD"}}}],
    [
        {"to": "referrer", "amount": {"percent": "10"}},
        {"to": "referee", "amount": {"flat": {"minor": 300, "currency": "USD"}}},
    ],
    [
        {"to": "referrer", "amount": {"by_jurisdiction": {"US-NJ": TIERS}}},
        {"to": "referee", "amount": {"percent": "5"}},
    ],
]


class EachTriedAgain(Replay):
    """A replay in which every referral is a line of its own."""

    def _fixed_needs_of(self, one: Earned) -> Needs | None:
        return None


@st.composite
def referrals(draw: st.DrawFn) -> list[Earned]:
    return [
        a_referral(
            number,
            referrer=draw(st.integers(1, 3)),
            met_at=MIDNIGHT + draw(st.integers(0, 12)) * HOURS,
            minor=draw(st.sampled_from((1000, 5000, 5001, 20_000))),
            jurisdiction=draw(st.sampled_from(("US-NJ", "US-PA"))),
            taken_back=draw(st.sampled_from((None, None, (0, 0), (0, 4), (500, 3)))),
        )
        for number in range(draw(st.integers(1, 20)))
    ]


def a_referral(
    number: int,
    *,
    referrer: int,
    met_at: datetime,
    minor: int = 5000,
    jurisdiction: str = "US-NJ",
    taken_back: tuple[int, int] | None = None,
) -> Earned:
    """Return a referral; `taken_back` gives what is left of its deposit, and after how long."""
    left, after = taken_back or (minor, 0)
    return Earned(
        referral_id=str(number),
        referrer_id=f"referrer-{referrer}",
        jurisdiction=jurisdiction,
        met_at=met_at,
        base=usd(minor),
        left=usd(left),
        changed_at=met_at + after * HOURS if taken_back else None,
        is_due=left > 0,
    )


def limits() -> st.SearchStrategy[list[Limit]]:
    a_limit = st.builds(
        Limit,
        of=st.sampled_from(LimitOf),
        per=st.sampled_from((Per.DAY, Per.DAY, Per.WEEK, Per.MONTH, Per.CAMPAIGN)),
        rewards=st.integers(0, 4),
        amount=st.sampled_from((None, usd(1000), usd(2500))),
        over=st.sampled_from((Over.DEFER, Over.DEFER, Over.DEFER, Over.REFUSE)),
    )
    return st.lists(a_limit, min_size=1, max_size=3)


def terms_of(amounts: list[dict[str, Any]], limits: list[Limit]) -> Terms:
    rewards = read_rewards(amounts, "rewards", currency="USD")
    rules = Rules(limits=tuple(limits), rewards=rewards)
    return replace(TERMS, referrer_reward=usd(0), rules=rules)


@given(
    earned=referrals(),
    terms=st.builds(terms_of, st.sampled_from(REWARDS), limits()),
    days=st.sampled_from((2, 10, 50)),
    budget=st.sampled_from((2000, 100_000)),
    outside=st.lists(st.integers(-10, 30), max_size=4),
)
@settings(max_examples=300, deadline=None)
def test_all_that_wait_are_paid_as_if_each_were_tried_again(
    earned: list[Earned], terms: Terms, days: int, budget: int, outside: list[int]
) -> None:
    counted = [(MIDNIGHT + place * HOURS, Used(1, 400)) for place in sorted(outside)]
    around = Surroundings(
        budgets={"USD": budget},
        now=MIDNIGHT + timedelta(days=days),
        rewarded_at={"referrer-1": [at for at, _ in counted]},
        counted={"referrer-1": counted},
        counted_all=counted,
    )
    together, apart = (played(kind, terms, around, earned) for kind in (Replay, EachTriedAgain))

    assert together.outcomes == apart.outcomes
    assert together.left == apart.left
    assert together.exhausted_at == apart.exhausted_at


def played(kind: type[Replay], terms: Terms, around: Surroundings, earned: list[Earned]) -> Replay:
    replay = kind(terms, Calendar(zone=UTC), around)
    replay.run(earned)
    return replay


def test_twice_as_many_that_wait_take_twice_the_work() -> None:
    ten_a_day = Limit(of=LimitOf.CAMPAIGN, per=Per.DAY, rewards=10)
    one_a_day = Limit(of=LimitOf.REFERRER, per=Per.DAY, rewards=1)
    for limit in (ten_a_day, one_a_day):
        few, many = (calls_for(limit, count) for count in (200, 400))
        assert many < 2.5 * few


def test_twice_as_many_rewards_from_outside_take_no_more_work_for_each_period() -> None:
    ten_a_day = Limit(of=LimitOf.CAMPAIGN, per=Per.DAY, rewards=10)
    few, many = (calls_for(ten_a_day, 100, outside=count) for count in (1000, 2000))

    assert many < few + 4 * 1000


def calls_for(limit: Limit, count: int, *, outside: int = 0) -> int:
    """Return how many functions are called for referrals that all meet the terms on one day."""
    terms = replace(TERMS, rules=Rules(limits=(limit,)))
    earned = [
        a_referral(number, referrer=number % 10, met_at=MIDNIGHT + number * timedelta(seconds=9))
        for number in range(count)
    ]
    around = Surroundings(
        budgets={"USD": 10**9},
        now=MIDNIGHT + timedelta(days=90),
        counted_all=[(MIDNIGHT + n * timedelta(minutes=15), Used(0, 0)) for n in range(outside)],
    )
    calls = 0

    def count_call(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count_call)
    try:
        played(Replay, terms, around, earned)
    finally:
        sys.setprofile(None)
    return calls
