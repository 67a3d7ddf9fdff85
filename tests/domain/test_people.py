"""People: every spelling of a name is one person, and other names are others."""

import unicodedata

import pytest

from domain.people import is_same_person, name_error, person_id_of, person_of

NAME = "Zoë Straße"


@pytest.mark.parametrize(
    "spelling",
    [
        "ZOË STRASSE",
        "  zoë \t straße ",
        unicodedata.normalize("NFD", NAME),
        "\uff3a\uff4fë\u3000\uff33tra\u00dfe",
        "Zo\u200bë\u00a0Stra\u00adße",
        "Zoë\u2003Straße\ufe0f",
        "\u2066Zoë Straße\u2069\u034f",
    ],
    ids=ascii,
)
def test_every_spelling_of_a_name_is_one_person(spelling: str) -> None:
    assert person_of(spelling) == "zoë strasse"
    assert person_id_of(spelling) == person_id_of(NAME)
    assert is_same_person(spelling, NAME)


@pytest.mark.parametrize("other", ["Zoe Strasse", "Zoë Strasse 2", "ZoëStraße", "Straße Zoë"])
def test_other_names_are_other_people(other: str) -> None:
    assert not is_same_person(other, NAME)


@pytest.mark.parametrize("nobody", ["", "  ", "\u200b", "\u2800", "a\nb", "x" * 201], ids=ascii)
def test_a_name_shows_somebody(nobody: str) -> None:
    assert name_error(nobody) is not None
    assert name_error(NAME) is None
