"""Referral codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.codes import (
    ALPHABET,
    DRAWN_LENGTH,
    code_from_bytes,
    is_code,
    normalise_code,
    parse_code,
)


@given(st.text())
def test_normalising_again_changes_nothing(typed: str) -> None:
    assert normalise_code(normalise_code(typed)) == normalise_code(typed)


@given(st.binary(min_size=DRAWN_LENGTH, max_size=32))
def test_a_drawn_code_is_one_and_reads_unambiguously(random_bytes: bytes) -> None:
    code = code_from_bytes(random_bytes)

    assert is_code(code)
    assert normalise_code(code.lower()) == code
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
def test_the_syntax_of_a_code(text: str, *, holds: bool) -> None:
    assert is_code(text) is holds


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (" ann-10 ", "ANN-10"),
        ("https://refer.example/r/ann-10", "ANN-10"),
        ("HTTPS://refer.example/r/ann-10/?lang=es#top", "ANN-10"),
        ("refer.example/r/ann%2D10", "ANN-10"),
        ("https://book.example/refer/r/ann-10\n", "ANN-10"),
        ("Join me: https://refer.example/r/ann-10!", "ANN-10"),
        ("https://refer.example/r/ann-10 or https://refer.example/r/bob-10", None),
        ("my code is ann-10", None),
        ("https://refer.example/ann-10", None),
        ("https://refer.example/r/", None),
        ("https://refer.example/r/a/b", None),
        ("/r/ann-10", None),
        ("r/ann-10", None),
    ],
)
def test_a_link_pasted_for_a_code_is_its_code(typed: str, code: str | None) -> None:
    assert parse_code(typed) == code


@given(st.text(max_size=80))
def test_whatever_is_typed_is_a_code_or_nothing(typed: str) -> None:
    for text in (typed, f"https://refer.example/r/{typed}"):
        code = parse_code(text)
        assert code is None or is_code(code)
