"""Stored terms: the numbers of their schemas, and which release reads which."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.campaigns.amounts.amount import ByJurisdiction, Percent
from domain.campaigns.conditions.fields import Operator
from domain.campaigns.conditions.tree import Leaf, Not
from domain.campaigns.limits.decision import Limit, LimitOf, Over
from domain.campaigns.limits.periods import Per
from domain.campaigns.rules import QualifyingAction, RewardRule, RewardType, Rules
from domain.campaigns.terms import Reminders
from domain.money import Money, RewardKind
from referrals.campaigns.versions import has_reminders, terms_from, terms_json
from tests.builders import TERMS, usd

RULED: Final = replace(
    TERMS,
    referrer_reward=usd(0),
    rules=Rules(
        rewards=(
            RewardRule(
                to=RewardType.REFEREE,
                kind=RewardKind.BONUS_BET,
                amount=ByJurisdiction((("*", Percent(hundredths=1250, maximum=usd(5000))),)),
            ),
        ),
        on=QualifyingAction.TOTAL_DEPOSITS,
        turnover=usd(2000),
        when=Not(Leaf("referrer.account_age", Operator.LT, timedelta(days=7))),
        limits=(Limit(of=LimitOf.REFERRER, per=Per.MONTH, rewards=10, over=Over.REFUSE),),
    ),
)
REMINDING: Final = replace(TERMS, reminders=Reminders(signup_after=timedelta(days=3)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsOf02:
    """Terms as release 0.2.0 reads them; it ignores every other field."""

    signup_window: timedelta
    deposit_window: timedelta
    minimum_deposit: Money
    hold_period: timedelta
    review_period: timedelta
    chargeback_window: timedelta
    lateness_grace: timedelta
    referrer_reward: Money
    referee_reward: Money | None = None


def test_terms_without_reminders_are_stored_as_release_0_2_stores_them() -> None:
    stored = terms_json(TERMS)

    assert stored.keys() == TermsOf02.__dataclass_fields__.keys()
    assert terms_from(stored) == TERMS
    assert not has_reminders(stored)


def test_terms_with_reminders_are_read_as_they_were_written() -> None:
    stored = terms_json(REMINDING)

    assert stored["schema"] == 2
    assert terms_from(stored) == REMINDING
    assert has_reminders(stored)


def test_release_0_2_refuses_to_act_on_terms_with_reminders() -> None:
    # It would expire a referral at its reminder; its act is retried until this release has it.
    with pytest.raises(ValidationError, match="signup_window"):
        TypeAdapter(TermsOf02).validate_python(terms_json(REMINDING))


def test_terms_with_rules_are_read_as_they_were_written() -> None:
    stored = json.loads(json.dumps(terms_json(RULED)))

    assert stored["schema"] == 3
    assert terms_from(stored) == RULED
    assert not has_reminders(stored)


def test_release_0_2_refuses_to_act_on_terms_with_rules() -> None:
    with pytest.raises(ValidationError, match="signup_window"):
        TypeAdapter(TermsOf02).validate_python(terms_json(RULED))


def test_terms_of_a_later_schema_are_refused() -> None:
    with pytest.raises(ValueError, match="later release"):
        terms_from({**terms_json(TERMS), "schema": 4})
