"""Referral codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.codes import ALPHABET, LENGTH, drawn, is_code, normalised


@given(st.text())
def test_normalising_again_changes_nothing(typed: str) -> None:
    assert normalised(normalised(typed)) == normalised(typed)


@given(st.binary(min_size=LENGTH, max_size=32))
def test_a_drawn_code_is_one_and_reads_unambiguously(random_bytes: bytes) -> None:
    code = drawn(random_bytes)

    assert is_code(code)
    assert normalised(code.lower()) == code
    assert set(code) <= set(ALPHABET)
    assert not set("01OIL") & set(ALPHABET) - {"L"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("ANN", True),
        ("ANN_LEE-10", True),
        ("A" * 32, True),
        ("AN", False),
        ("A" * 33, False),
        ("_ANN", False),
        ("ann", False),
        ("AN N", False),
        ("ÄNN", False),
        ("ANN\n", False),
    ],
)
def test_what_a_code_looks_like(text: str, *, holds: bool) -> None:
    assert is_code(text) is holds
