"""Referral codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.codes import ALPHABET, LENGTH, drawn, is_code, normalised


@given(st.binary(min_size=LENGTH))
def test_what_is_drawn_is_a_code_in_the_unambiguous_alphabet(entropy: bytes) -> None:
    code = drawn(entropy)
    assert len(code) == LENGTH
    assert set(code) <= set(ALPHABET)
    assert is_code(code)


def test_no_letter_can_be_taken_for_another() -> None:
    assert not set("0O1IL") & set(ALPHABET)


@given(st.text())
def test_normalising_again_changes_nothing(typed: str) -> None:
    assert normalised(normalised(typed)) == normalised(typed)


@pytest.mark.parametrize("text", ["", "AB", "-ABC", "A B C", "A" * 33, "ÄBC", "AB\0C", "abc"])
def test_anything_else_is_no_code(text: str) -> None:
    assert not is_code(text)
