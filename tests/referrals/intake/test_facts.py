"""Facts as they are read back from what earlier releases recorded."""

from dataclasses import MISSING, Field, fields
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.intake.facts import (
    FACT_TYPES,
    ID_FIELDS,
    MAX_TIME,
    MIN_TIME,
    Choice,
    Deposit,
    Fact,
    FactKind,
    PlayerStatus,
    TakeBack,
)
from domain.money import Money
from referrals.intake import facts
from referrals.intake.canonical import body_of, canonical_json, canonical_text
from tests import builders


@pytest.mark.parametrize("currency", ["usd", "", "bitcoin"])
def test_an_amount_that_release_0_2_recorded_in_no_currency_has_none(currency: str) -> None:
    body = body_of(builders.deposit())
    body["amount"]["currency"] = currency
    found = facts.fact_of(FactKind.DEPOSIT, body)
    assert isinstance(found, Deposit)
    assert found.amount == Money(1000, facts.NO_CURRENCY)


WORDS: Final[dict[object, object]] = {
    TakeBack: TakeBack.REFUND_FAILED,
    PlayerStatus: PlayerStatus.SELF_EXCLUDED,
    Choice: Choice.REJECT,
}
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
STORABLE = st.builds(
    lambda shape, texts, amount, at: shape(
        **{
            field.name: value
            for field in fields(shape)
            for value in [_value(field, texts=texts, amount=amount, at=at)]
            if value is not None
        }
    ),
    st.sampled_from(sorted(FACT_TYPES.values(), key=lambda shape: shape.__name__)),
    st.lists(TEXTS | st.none(), min_size=20, max_size=20),
    st.builds(Money, st.integers(0, 10**15), st.sampled_from(["USD", "JPY", "KWD"])),
    st.datetimes(
        MIN_TIME.replace(tzinfo=None) + timedelta(days=2),
        MAX_TIME.replace(tzinfo=None) - timedelta(days=2),
        timezones=st.timezones()
        | st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone),
    ),
)


def _value(field: "Field[Any]", *, texts: list[str | None], amount: Money, at: datetime) -> object:
    """Return a value of a field's type: a text for any that is none of the others."""
    if field.type in WORDS:
        return WORDS[field.type]
    if field.name == "event_id" or field.name in ID_FIELDS:
        return "source~id" if field.name == "event_id" else "an-id"
    if field.name == "occurred_at":
        return at
    if field.name in {"amount", "stake"}:
        return amount
    return texts.pop() or ("x" if field.default is MISSING else None)


@given(STORABLE)
def test_the_canonical_text_is_the_json_of_the_normalised_content(fact: Fact) -> None:
    assert canonical_text(fact) == canonical_json(body_of(fact))


@pytest.mark.parametrize("minor", [True, 5])
def test_an_amount_of_another_type_has_the_text_that_it_always_had(minor: int) -> None:
    fact = builders.deposit(amount=Money(minor, "USD"))
    assert canonical_text(fact) == canonical_json(body_of(fact))


def test_a_fact_has_the_fingerprint_that_earlier_releases_stored() -> None:
    fact = Deposit(
        event_id="d-1",
        occurred_at=datetime(2026, 3, 1, 13, 0, 0, 120_000, tzinfo=timezone(timedelta(hours=1))),
        player_id="p-1",
        deposit_id="d-1",
        amount=Money(1000, "USD"),
        method="card \u00e9",
    )
    assert canonical_text(fact) == (
        '{"amount": {"currency": "USD", "minor": 1000}, "deposit_id": "d-1", "event_id": "d-1",'
        ' "method": "card \\u00e9", "occurred_at": "2026-03-01T12:00:00.120000Z",'
        ' "player_id": "p-1"}'
    )
