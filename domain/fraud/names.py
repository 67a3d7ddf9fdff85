"""Similarity of two names of which only keyed hashes of their words are stored.

Each word is stored as the hashes of its spellings: the word itself and the word without each of its
letters. Two words that share one differ by one letter added, left out, replaced or swapped with the
next one (the deletion neighbourhood of SymSpell and FastSS).
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

MIN_WORDS: Final = 2
"""A given name alone is not a similarity: thousands share it."""
MAX_WORDS: Final = 4
MIN_LETTERS_TO_ERR: Final = 4
"""Shorter words are other words with a letter replaced: Ann, Ana, Ian."""

Words = Sequence[Collection[str]]
"""The hashed spellings of each word of a name."""


def spellings(word: str) -> tuple[str, ...]:
    """Return a word, and the word without each of its letters, to be hashed."""
    if len(word) < MIN_LETTERS_TO_ERR:
        return (word,)
    shorter = {word[:place] + word[place + 1 :] for place in range(len(word))}
    return (word, *sorted(shorter - {word}))


def are_near(one: Collection[str] | None, other: Collection[str] | None) -> bool | None:
    """Return whether two words differ by a letter at most; None if one is unknown."""
    return bool(set(one).intersection(other)) if one and other else None


def is_near_any(
    one: Collection[str] | None, others: Iterable[Collection[str] | None]
) -> bool | None:
    """Return whether a word differs by a letter at most from one of others; None if none is known.

    The order of the others does not matter.
    """
    known = {near for other in others if (near := are_near(one, other)) is not None}
    return any(known) if known else None


def is_similar(one: Words | None, other: Words | None) -> bool | None:
    """Return whether each word of the shorter name is in the other; None if one is unknown."""
    if not one or not other:
        return None
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < MIN_WORDS:
        return False
    left = [frozenset(word) for word in longer]
    for word in shorter:
        found = next((candidate for candidate in left if candidate.intersection(word)), None)
        if found is None:
            return False
        left.remove(found)
    return True
