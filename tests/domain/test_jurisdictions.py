"""Countries of jurisdictions, as operators write them and as networks name them."""

import pytest

from domain.jurisdictions import is_within


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
