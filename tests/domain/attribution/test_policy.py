"""The attribution of a signup: one decision, whatever the order of its touches."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.attribution.decision import (
    Attribution,
    Touch,
    Unattributed,
    attribute,
    policy_of_last_touch,
)
from domain.attribution.policy import DEFAULT_POLICY, Method, Pick, Policy, Refusal, Tier
from tests.builders import NOW, signup
from tests.domain.attribution.strategies import HOUR, POLICIES, TOUCHES

SIGNUP = signup("friend")
FIRST_TOUCH = Policy(order=(Tier(methods=(Method.REFERRAL_TOKEN,), touch=Pick.FIRST),))


def touch(method: Method = Method.REFERRAL_TOKEN, **fields: Any) -> Touch:  # noqa: ANN401
    plain = Touch(
        touch_id=uuid4(),
        method=method,
        at=NOW - HOUR,
        code="ANN",
        campaign="spring",
        referrer_id="ann",
        referral_id=uuid4(),
    )
    return replace(plain, **fields)


def winner_of(touches: list[Touch], policy: Policy = DEFAULT_POLICY) -> Touch:
    verdict = attribute(SIGNUP, touches, policy)
    assert isinstance(verdict, Attribution)
    return verdict.winner


def refusal_of(touches: list[Touch], policy: Policy = DEFAULT_POLICY) -> Refusal:
    verdict = attribute(SIGNUP, touches, policy)
    assert isinstance(verdict, Unattributed)
    return verdict.reason


def test_methods_count_in_the_order_of_the_default_policy() -> None:
    order = [method for step in DEFAULT_POLICY.order for method in step.methods]
    touches = [touch(method, code=method.value.upper()) for method in order]

    winners = []
    while touches:
        winners.append(winner_of(touches))
        touches = [one for one in touches if one.touch_id != winners[-1].touch_id]

    ranks = [DEFAULT_POLICY.rank_of(winner.method) for winner in winners]
    assert ranks == sorted(ranks, key=lambda rank: rank or 0)
    assert winners[0].method is Method.TYPED_CODE
    assert winners[-1].method is Method.PROBABILISTIC


def test_a_decision_of_support_outranks_any_policy() -> None:
    manual = touch(Method.MANUAL, at=NOW + timedelta(days=9))
    assert winner_of([touch(Method.TYPED_CODE), manual], FIRST_TOUCH) == manual


def test_a_signal_counts_as_a_token() -> None:
    signalled = touch(Method.SIGNAL)
    assert winner_of([signalled, touch(Method.INSTALL_REFERRER)]) == signalled


def test_the_last_touch_counts_unless_the_campaign_says_the_first() -> None:
    first, last = touch(at=NOW - 2 * HOUR), touch(at=NOW - HOUR)
    assert winner_of([first, last]) == last
    assert winner_of([first, last], FIRST_TOUCH) == first


def test_a_touch_presented_with_the_signup_is_its_last_touch() -> None:
    presented, later = touch(at=NOW - 2 * HOUR, is_presented=True), touch(at=NOW - HOUR)
    assert winner_of([presented, later]) == presented
    assert winner_of([presented, later], FIRST_TOUCH) == presented


@pytest.mark.parametrize(
    ("method", "at", "refusal"),
    [
        (Method.REFERRAL_TOKEN, NOW - 3 * HOUR, Refusal.OUTSIDE_WINDOW),
        (Method.CLIPBOARD, NOW, Refusal.NOT_ACCEPTED),
        (Method.TYPED_CODE, NOW + 25 * HOUR, Refusal.LATE_CODE),
    ],
)
def test_a_touch_outside_the_policy_is_refused_with_its_reason(
    method: Method,
    at: datetime,
    refusal: Refusal,
) -> None:
    policy = Policy(
        order=(
            Tier(methods=(Method.TYPED_CODE,)),
            Tier(methods=(Method.REFERRAL_TOKEN,), window=2 * HOUR),
        )
    )
    assert refusal_of([touch(method, at=at)], policy) is refusal


def test_windows_and_the_grace_include_their_ends() -> None:
    steps = (Tier(methods=(Method.TYPED_CODE,)), Tier(methods=(Method.COOKIE,), window=2 * HOUR))
    policy = Policy(order=steps, claim_grace=HOUR)
    oldest, latest = (
        touch(Method.COOKIE, at=NOW - 2 * HOUR),
        touch(Method.TYPED_CODE, at=NOW + HOUR),
    )
    assert winner_of([oldest], policy) == oldest
    assert winner_of([oldest, latest], policy) == latest


def test_a_code_typed_within_the_grace_counts() -> None:
    late = touch(Method.TYPED_CODE, at=NOW + 23 * HOUR)
    assert winner_of([touch(), late]) == late


def test_a_window_and_the_grace_hold_to_their_last_moment() -> None:
    policy = Policy(
        order=(
            Tier(methods=(Method.TYPED_CODE,)),
            Tier(methods=(Method.REFERRAL_TOKEN,), window=2 * HOUR),
        )
    )
    for last in (touch(at=NOW - 2 * HOUR), touch(Method.TYPED_CODE, at=NOW + 24 * HOUR)):
        assert winner_of([last], policy) == last


def test_the_last_decision_of_support_counts_whatever_the_policy() -> None:
    first, last = touch(Method.MANUAL, at=NOW), touch(Method.MANUAL, at=NOW + HOUR)
    assert winner_of([last, first], FIRST_TOUCH) == last


def test_a_players_own_code_counts_only_where_nothing_else_does() -> None:
    own, friend = touch(Method.TYPED_CODE, referrer_id="friend"), touch(Method.COOKIE)

    assert winner_of([own, friend]) == friend
    alone = attribute(SIGNUP, [own], DEFAULT_POLICY)
    assert isinstance(alone, Attribution)
    assert alone.is_self


def test_a_code_typed_from_a_link_continues_the_links_invitation() -> None:
    link, typed = touch(), touch(Method.TYPED_CODE, referral_id=None)
    assert winner_of([link, typed]).referral_id == link.referral_id
    assert winner_of([link, replace(typed, code="BOB")]).referral_id is None
    earlier = touch(at=NOW - 3 * HOUR)
    assert winner_of([link, earlier, typed]).referral_id == link.referral_id


def test_losing_touches_are_outranked() -> None:
    link, cookie = touch(), touch(Method.COOKIE)
    verdict = attribute(SIGNUP, [cookie, link], DEFAULT_POLICY)
    refusals = {one.touch_id: one.refusal for one in verdict.judged}
    assert refusals == {link.touch_id: None, cookie.touch_id: Refusal.OUTRANKED}


def test_a_signup_without_a_touch_belongs_to_nobody() -> None:
    assert refusal_of([]) is Refusal.NO_TOUCH


def test_reports_the_refusal_of_the_highest_tier() -> None:
    forged = touch(refusal=Refusal.FORGED_TOKEN, is_presented=True)
    unknown = touch(Method.TYPED_CODE, refusal=Refusal.UNKNOWN_CODE, is_presented=True)
    assert refusal_of([forged, unknown]) is Refusal.UNKNOWN_CODE
    ended = touch(Method.TYPED_CODE, refusal=Refusal.CAMPAIGN_ENDED)
    assert refusal_of([forged, ended]) is Refusal.FORGED_TOKEN


def test_the_policy_is_that_of_the_campaign_that_was_touched_last() -> None:
    other = replace(FIRST_TOUCH, claim_grace=HOUR)
    policies = {"spring": FIRST_TOUCH, "summer": other}
    spring, summer = touch(at=NOW - 2 * HOUR), touch(campaign="summer")

    assert policy_of_last_touch([summer, spring], policies) is other
    assert (
        policy_of_last_touch([summer, replace(spring, is_presented=True)], policies) is FIRST_TOUCH
    )
    assert policy_of_last_touch(
        [replace(summer, refusal=Refusal.UNKNOWN_CODE), spring], policies
    ) is (FIRST_TOUCH)
    assert policy_of_last_touch([], policies) is DEFAULT_POLICY
    assert policy_of_last_touch([replace(summer, refusal=Refusal.EXPIRED_TOKEN)], policies) is other


THOROUGHLY = settings(max_examples=400)
"""Faults need several touches that are alike in all but one thing."""


@THOROUGHLY
@given(data=st.data(), touches=TOUCHES, policy=POLICIES)
def test_any_order_of_touches_gives_the_same_decision(
    data: st.DataObject, touches: list[Touch], policy: Policy
) -> None:
    shuffled = data.draw(st.permutations(touches))

    assert attribute(SIGNUP, shuffled, policy) == attribute(SIGNUP, touches, policy)
    policies = {"spring": policy, "summer": DEFAULT_POLICY}
    assert policy_of_last_touch(shuffled, policies) is policy_of_last_touch(touches, policies)


@THOROUGHLY
@given(touches=TOUCHES, policy=POLICIES)
def test_no_refused_touch_and_no_unlisted_method_ever_wins(
    touches: list[Touch], policy: Policy
) -> None:
    verdict = attribute(SIGNUP, touches, policy)
    if isinstance(verdict, Attribution):
        (given_,) = (one for one in touches if one.touch_id == verdict.winner.touch_id)
        assert given_.refusal is None
        assert policy.rank_of(given_.method) is not None


@THOROUGHLY
@given(touches=TOUCHES, policy=POLICIES)
def test_the_winner_is_the_first_or_last_valid_touch_of_the_highest_tier(
    touches: list[Touch], policy: Policy
) -> None:
    verdict = attribute(SIGNUP, touches, policy)
    judged = {one.touch_id: one.refusal for one in verdict.judged}
    ranks = {one.touch_id: policy.rank_of(one.method) for one in touches}
    holding = [one for one in touches if judged[one.touch_id] in {None, Refusal.OUTRANKED}]
    own = [one for one in touches if judged[one.touch_id] is Refusal.SELF]
    assert isinstance(verdict, Attribution) is bool(holding or own)
    if isinstance(verdict, Attribution):
        best = min(ranks[one.touch_id] or 0 for one in holding or own)
        equal = [one for one in holding or own if ranks[one.touch_id] == best]
        first = min(equal, key=lambda one: (one.at, one.touch_id))
        last = max(equal, key=lambda one: (one.is_presented, one.at, one.touch_id))
        picks_first = best >= 0 and policy.order[best].touch is Pick.FIRST
        assert verdict.winner.touch_id == (first if picks_first else last).touch_id


@THOROUGHLY
@given(touches=TOUCHES, policy=POLICIES)
def test_the_winner_continues_only_an_invitation_of_its_code_that_holds(
    touches: list[Touch], policy: Policy
) -> None:
    verdict = attribute(SIGNUP, touches, policy)
    if isinstance(verdict, Attribution) and verdict.winner.referral_id is not None:
        judged = {one.touch_id: one.refusal for one in verdict.judged}
        holding = {None, Refusal.OUTRANKED, verdict.winner.refusal}
        assert (verdict.winner.code, verdict.winner.referral_id) in {
            (one.code, one.referral_id) for one in touches if judged[one.touch_id] in holding
        }


@THOROUGHLY
@given(touches=TOUCHES, policy=POLICIES)
def test_each_touch_is_judged_by_itself(touches: list[Touch], policy: Policy) -> None:
    together = {one.touch_id: one.refusal for one in attribute(SIGNUP, touches, policy).judged}
    for one in touches:
        (alone,) = attribute(SIGNUP, [one], policy).judged
        assert together[one.touch_id] in {alone.refusal, alone.refusal or Refusal.OUTRANKED}


@THOROUGHLY
@given(touches=TOUCHES, policy=POLICIES)
def test_who_wins_does_not_depend_on_those_who_lose(touches: list[Touch], policy: Policy) -> None:
    verdict = attribute(SIGNUP, touches, policy)
    if isinstance(verdict, Attribution):
        for loser in touches:
            if loser.touch_id != verdict.winner.touch_id:
                fewer = attribute(SIGNUP, [one for one in touches if one is not loser], policy)
                assert isinstance(fewer, Attribution)
                assert fewer.winner.touch_id == verdict.winner.touch_id
