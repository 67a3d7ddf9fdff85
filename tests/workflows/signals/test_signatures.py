"""Signatures of facts that an act is handed: whoever schedules acts cannot lend one to another."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from activities.direct_signals import SignalPolicy
from activities.messages import Signature
from domain.intake.direct_signals import DirectSignals, canonical_json, sign
from domain.intake.facts import Fact, kind_of
from domain.money import Money
from referrals.intake.canonical import body_of
from tests.activities.referral_acts import LATER
from tests.builders import chargeback, deposit, signup

KEY: Final = "a key of the payments service"
POLICY: Final = SignalPolicy(DirectSignals.SIGNED, (KEY,))


def signature_of(fact: Fact, **named: Any) -> Signature:  # noqa: ANN401 - its own fields
    """Return a true signature of a fact, under other names if any are given."""
    canonical = canonical_json(body_of(fact))
    given = Signature(
        kind=kind_of(fact),
        event_id=fact.event_id,
        canonical=canonical,
        signature=sign(canonical, KEY),
    )
    return replace(given, **named)


def test_a_signed_fact_counts() -> None:
    paid = deposit("ann")
    for fact in (signup("ann"), paid, chargeback(paid)):
        assert POLICY.refusal(fact, [signature_of(fact)], now=LATER) is None


@pytest.mark.parametrize(
    "change",
    [{"event_id": "e-forged"}, {"player_id": "somebody"}, {"amount": Money(999_999, "USD")}],
    ids=str,
)
def test_a_signature_of_another_fact_does_not_count(change: dict[str, Any]) -> None:
    honest = deposit("ann")
    forged = replace(honest, **change)
    lent = signature_of(honest, event_id=forged.event_id)

    assert POLICY.refusal(forged, [lent], now=LATER) == "signature"


def test_a_signature_of_another_kind_does_not_count() -> None:
    paid = deposit("ann")
    forged = chargeback(paid)
    lent = signature_of(paid, kind=kind_of(forged), event_id=forged.event_id)

    assert POLICY.refusal(forged, [lent], now=LATER) == "signature"


def test_a_signature_of_an_event_that_refuses_traits_does_not_count_for_one_that_has_them() -> None:
    shy = signup("ann", ip="203.0.113.9", user_agent="shy/1", device_id="d-shy")
    canonical = canonical_json(body_of(shy) | {"consent": False})
    given = replace(signature_of(shy), canonical=canonical, signature=sign(canonical, KEY))

    assert POLICY.refusal(shy, [given], now=LATER, is_refusing=True) is None
    assert POLICY.refusal(shy, [given], now=LATER) == "signature"


def test_a_signature_counts_over_an_event_that_is_cut_as_the_other_doors_cut_it() -> None:
    leap = datetime(2017, 1, 1, tzinfo=UTC)
    cut = signup("ann", at=leap, code="x" * 1024)
    written = {"occurred_at": "2016-12-31T23:59:60Z", "code": "x" * 2000}
    canonical = canonical_json(body_of(cut) | written)
    given = replace(signature_of(cut), canonical=canonical, signature=sign(canonical, KEY))

    assert POLICY.refusal(cut, [given], now=LATER) is None
