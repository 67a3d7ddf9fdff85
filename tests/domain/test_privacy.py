"""Personal data becomes keyed hashes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.privacy import HASHED, PERSONAL, pseudonymise, without_personal_data

KEY = b"a key for tests only"
fields = st.sampled_from(PERSONAL)


@given(fields, st.text(min_size=1))
def test_hashing_again_changes_nothing(field: str, text: str) -> None:
    once = pseudonymise(field, text, KEY)
    assert HASHED.fullmatch(once)
    assert pseudonymise(field, once, KEY) == once


def test_the_same_text_in_two_fields_or_under_two_keys_is_not_the_same() -> None:
    hashes = {pseudonymise(field, "1234", KEY) for field in PERSONAL}
    assert len(hashes) == len(PERSONAL)
    assert pseudonymise("ip", "1234", b"another key") not in hashes


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("email", "Ann.Smith+bets@gmail.com", "annsmith@googlemail.com"),
        ("email", " ANN@book.example", "ann@book.example"),
        ("phone", "+1 (555) 010-2030", "15550102030"),
        ("full_name", "Ann  SMITH", "ann smith"),
    ],
)
def test_two_spellings_of_one_thing_match(field: str, one: str, other: str) -> None:
    assert pseudonymise(field, one, KEY) == pseudonymise(field, other, KEY)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("email", "ann.smith@book.example", "annsmith@book.example"),
        ("phone", "unknown", "none given"),
    ],
)
def test_two_things_do_not_match(field: str, one: str, other: str) -> None:
    assert pseudonymise(field, one, KEY) != pseudonymise(field, other, KEY)


def test_only_personal_fields_are_hashed_and_gaps_stay_gaps() -> None:
    event = {"player_id": "ann", "ip": "192.0.2.1", "email": None}
    hashed = without_personal_data(event, KEY)
    assert hashed["player_id"] == "ann"
    assert hashed["email"] is None
    assert "192.0.2.1" not in str(hashed)
