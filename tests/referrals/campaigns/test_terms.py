"""Stored terms: the numbers of their schemas, and which release reads which."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.campaigns.terms import Reminders
from domain.money import Money
from referrals.campaigns.versions import has_reminders, terms_from, terms_json
from tests.builders import TERMS

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


def test_terms_of_a_later_schema_are_refused() -> None:
    with pytest.raises(ValueError, match="later release"):
        terms_from({**terms_json(TERMS), "schema": 3})
