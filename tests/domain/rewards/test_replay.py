"""Replays: limits and budgets over the referrals of a past period, in the order of time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.campaigns.limits.decision import Limit, LimitOf, Over, Used
from domain.campaigns.limits.periods import Calendar, Per
from domain.campaigns.rules import Rules
from domain.lifecycle.reasons import ReasonCode
from domain.rewards.replay import Replay, Surroundings
from domain.rewards.simulation import Earned, Missed
from tests.builders import TERMS, usd

FIRST_DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AROUND = Surroundings(budgets={"USD": 100_000}, now=FIRST_DAY + 90 * DAY)


def earned(
    number: int, *, at: datetime | None = None, taken_back_after: timedelta | None = None
) -> Earned:
    met_at = at or FIRST_DAY + number * timedelta(hours=1)
    return Earned(
        referral_id=str(number),
        referrer_id="referrer",
        jurisdiction="US-NJ",
        met_at=met_at,
        base=usd(5000),
        left=usd(5000 * (taken_back_after is None)),
        changed_at=met_at + taken_back_after if taken_back_after else None,
        is_due=taken_back_after is None,
    )


def replay(referrals: Sequence[Earned], *limits: Limit, around: Surroundings = AROUND) -> Replay:
    terms = replace(TERMS, rules=Rules(limits=limits))
    played = Replay(terms, Calendar(zone=UTC), around)
    played.run(referrals)
    return played


def test_what_exceeds_a_limit_is_paid_in_the_next_period_the_longest_waiting_first() -> None:
    a_day = Limit(of=LimitOf.REFERRER, per=Per.DAY, rewards=1)
    around = replace(AROUND, now=FIRST_DAY + DAY)
    found = replay([earned(3), earned(1), earned(2)], a_day, around=around).outcomes

    waits = Missed(ReasonCode.LIMIT, "referrer_day")
    assert [found[n] == waits for n in ("1", "2", "3")] == [False, False, True]


def test_what_waits_for_a_limit_is_not_paid_after_the_campaigns_end() -> None:
    a_day = Limit(of=LimitOf.REFERRER, per=Per.DAY, rewards=1)
    around = replace(AROUND, ends_at=FIRST_DAY + timedelta(hours=6))
    found = replay([earned(1), earned(2)], a_day, around=around).outcomes

    assert found["2"] == Missed(ReasonCode.LIMIT, "referrer_day")


def test_rewards_from_outside_the_period_use_the_limit_too() -> None:
    a_month = Limit(of=LimitOf.REFERRER, per=Per.MONTH, rewards=2, over=Over.REFUSE)
    of_april = (FIRST_DAY + 40 * DAY, Used(5, 5000))
    counted = {"referrer": [(FIRST_DAY - timedelta(hours=1), Used(1, 1000)), of_april]}
    found = replay(
        [earned(1), earned(2)], a_month, around=replace(AROUND, counted=counted)
    ).outcomes

    assert not isinstance(found["1"], Missed)
    assert found["2"] == Missed(ReasonCode.LIMIT, "referrer_month")


def test_money_that_comes_back_pays_who_waits_for_it() -> None:
    around = replace(AROUND, budgets={"USD": 1500})
    played = replay([earned(1, taken_back_after=DAY), earned(2)], around=around)

    assert not isinstance(played.outcomes["2"], Missed)
    assert played.left == {"USD": 500}
    assert played.exhausted_at == {"USD": FIRST_DAY + timedelta(hours=2)}


def test_a_reward_that_is_taken_back_frees_its_place() -> None:
    two = Limit(of=LimitOf.REFERRER, per=Per.CAMPAIGN, rewards=1, over=Over.REFUSE)
    later = earned(2, at=FIRST_DAY + 2 * DAY)
    found = replay([earned(1, taken_back_after=DAY), later], two).outcomes

    assert not isinstance(found["2"], Missed)
