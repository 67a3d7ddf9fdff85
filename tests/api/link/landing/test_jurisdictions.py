"""Where a campaign may promise nothing, and how little a visitor can change that."""

import pytest

from api.link.landing.jurisdictions import conceals, place_of

ONTARIO = ("CA-ON",)


@pytest.mark.parametrize(
    ("listed", "known", "claimed", "is_concealed"),
    [
        ((), None, None, False),
        ((), "CA-ON", "CA-ON", False),
        (ONTARIO, "CA-ON", None, True),
        (ONTARIO, "CA-QC", None, False),
        (ONTARIO, None, None, True),
        (ONTARIO, None, "CA-QC", True),
        (ONTARIO, "CA-ON", "CA-QC", True),
        (ONTARIO, "CA-QC", "CA-ON", True),
        (ONTARIO, "CA", None, True),
        (ONTARIO, "US-CA", None, False),
        (("BR",), "BR-SP", None, True),
        (("BR",), "BR", None, True),
        (("BR", "CA-ON"), "CA-ON", None, True),
        (("US-N",), "US-NJ", None, False),
    ],
)
def test_conceals_where_any_listed_place_may_be_meant(
    listed: tuple[str, ...],
    known: str | None,
    claimed: str | None,
    is_concealed: bool,  # noqa: FBT001 # a column of the table
) -> None:
    assert conceals(listed, known=known, claimed=claimed) is is_concealed


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (" ca-on ", "CA-ON"),
        ("BR", "BR"),
        ("GB-ENG", "GB-ENG"),
        ("", None),
        ("unknown", None),
        ("CA-ON, CA-QC", None),
        ("CA_ON", None),
    ],
)
def test_reads_only_codes_of_iso_3166(given: str, place: str | None) -> None:
    assert place_of(given) == place
