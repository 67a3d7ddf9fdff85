"""Countries of jurisdictions, as operators write them and as networks name them."""

import pytest

from domain.jurisdictions import canonical, is_within, overlap


@pytest.mark.parametrize(
    ("country", "jurisdiction", "expected"),
    [
        ("US", "US-NJ", True),
        ("US", "us-nj", True),
        ("GB", "GB-ENG", True),
        ("GB", "UK", True),
        ("GR", "EL", True),
        ("PR", "US-PR", True),
        ("CA", "US-CA", False),
        ("DE", "US-DE", False),
        ("FR", "DE", False),
        ("US", "PR", False),
    ],
)
def test_a_country_is_within_the_jurisdiction_of_its_name(
    country: str, jurisdiction: str, *, expected: bool
) -> None:
    assert is_within(country, jurisdiction) is expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("US-NJ", "US-NJ"),
        (" us_nj\n", "US-NJ"),
        ("uk", "GB"),
        ("UK-eng", "GB-ENG"),
        ("EL", "GR"),
        ("other", "OTHER"),
        ("*", "*"),
    ],
)
def test_a_code_has_one_spelling(told: str, expected: str) -> None:
    assert canonical(told) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("US", "us-nj", True),
        ("US_NJ", "US-NJ", True),
        ("GB", "UK-ENG", True),
        ("US-NJ", "us-ny", False),
        ("US", "USA", False),
    ],
)
def test_codes_overlap_in_whatever_spelling(one: str, other: str, *, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected
