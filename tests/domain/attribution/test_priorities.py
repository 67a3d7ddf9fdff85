"""Priorities: which of several campaigns that apply to a signup goes first."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from domain.attribution.decision import (
    Attribution,
    Touch,
    Unattributed,
    attribute,
    policy_of_last_touch,
)
from domain.attribution.policy import DEFAULT_POLICY, Method, Refusal
from tests.builders import NOW, signup

SIGNUP = signup()
TYPED = Touch(
    touch_id=uuid4(),
    method=Method.TYPED_CODE,
    at=NOW,
    code="TYPED",
    campaign="plain",
    referrer_id="referrer",
    is_presented=True,
)
FOLLOWED = replace(
    TYPED,
    touch_id=uuid4(),
    method=Method.REFERRAL_TOKEN,
    at=NOW - timedelta(days=1),
    code="FOLLOWED",
    campaign="first",
    priority=5,
)


def test_a_larger_priority_goes_before_a_higher_rank_and_the_log_says_so() -> None:
    decision = attribute(SIGNUP, [TYPED, FOLLOWED], DEFAULT_POLICY)
    assert isinstance(decision, Attribution)
    assert decision.winner.code == "FOLLOWED"
    refusals = {touch.code: touch.refusal for touch in decision.judged}
    assert refusals == {"FOLLOWED": None, "TYPED": Refusal.LOWER_PRIORITY}


def test_of_equal_priorities_the_rank_decides() -> None:
    decision = attribute(SIGNUP, [replace(TYPED, priority=5), FOLLOWED], DEFAULT_POLICY)
    assert isinstance(decision, Attribution)
    assert decision.winner.code == "TYPED"
    assert {touch.refusal for touch in decision.judged} == {None, Refusal.OUTRANKED}


def test_a_negative_priority_goes_behind_a_campaign_without_one() -> None:
    behind = replace(FOLLOWED, priority=-1)
    typed_late = replace(TYPED, method=Method.COOKIE)
    decision = attribute(SIGNUP, [typed_late, behind], DEFAULT_POLICY)
    assert isinstance(decision, Attribution)
    assert decision.winner.code == "TYPED"


def test_a_campaign_that_does_not_apply_gives_way_whatever_its_priority() -> None:
    ended = replace(FOLLOWED, refusal=Refusal.CAMPAIGN_ENDED)
    decision = attribute(SIGNUP, [TYPED, ended], DEFAULT_POLICY)
    assert isinstance(decision, Attribution)
    assert decision.winner.code == "TYPED"
    assert isinstance(attribute(SIGNUP, [ended], DEFAULT_POLICY), Unattributed)


def test_a_decision_of_support_goes_before_every_priority() -> None:
    manual = replace(TYPED, method=Method.MANUAL)
    decision = attribute(SIGNUP, [manual, FOLLOWED], DEFAULT_POLICY)
    assert isinstance(decision, Attribution)
    assert decision.winner.code == "TYPED"


def test_the_policy_is_that_of_the_campaign_that_goes_first() -> None:
    of_first = replace(DEFAULT_POLICY, claim_grace=timedelta(hours=1))
    policies = {"plain": DEFAULT_POLICY, "first": of_first}
    assert policy_of_last_touch([TYPED, FOLLOWED], policies) is of_first
