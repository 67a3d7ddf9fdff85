"""Similar names, compared by the hashes of their words' spellings."""

import pytest

from domain.fraud.names import Words, is_similar, spellings


def words(name: str) -> Words:
    return [spellings(word) for word in name.split()]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("john smith", "john smith"),
        ("john smith", "smith john"),
        ("john smith", "jonh smith"),
        ("john smith", "john smyth"),
        ("john smith", "johnn smith"),
        ("john smith", "john albert smith"),
        ("maria garcia", "mari garcia"),
    ],
)
def test_names_that_differ_by_a_letter_in_a_word_are_similar(one: str, other: str) -> None:
    assert is_similar(words(one), words(other))
    assert is_similar(words(other), words(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("john smith", "mary smith"),
        ("ann lee", "ian lee"),
        ("john", "john"),
        ("smith smith", "john smith"),
        ("john smith", "smithers johnson"),
    ],
)
def test_other_names_are_not_similar(one: str, other: str) -> None:
    assert is_similar(words(one), words(other)) is False
    assert is_similar(words(other), words(one)) is False


def test_an_unknown_name_is_neither() -> None:
    assert is_similar(None, words("john smith")) is None
    assert is_similar(words("john smith"), []) is None
