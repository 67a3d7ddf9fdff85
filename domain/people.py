"""People, told apart by their names, of which every spelling is the same person."""

import unicodedata
from typing import Final
from uuid import UUID

from domain.derived_ids import derived_id

MAX_NAME_CHARS: Final = 200
_NAMESPACE: Final = UUID("d2c11bde-6f3d-4b7d-9a54-5f1a4a7e0c32")
_CONTROL: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Categories of characters that are not text, or break lines."""
_UNSEEN: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800")
"""Characters that show nothing and are letters or marks all the same."""


def person_of(name: str) -> str:
    """Return one spelling for all spellings of a person's name.

    Case, blanks, compatibility forms and characters that show nothing make no difference.
    """
    plain = unicodedata.normalize("NFKC", name).casefold()
    # Folding may leave a text that is not normalised.
    seen = "".join(char for char in unicodedata.normalize("NFKC", plain) if not _is_unseen(char))
    return " ".join(seen.split())


def person_id_of(name: str) -> UUID:
    """Return the id of the person of this name, in any spelling."""
    return derived_id(_NAMESPACE, person_of(name))


def is_same_person(one: str, other: str) -> bool:
    """Return whether two names are spellings of one person."""
    return person_id_of(one) == person_id_of(other)


def name_error(name: str) -> str | None:
    """Return why nobody may have this name, or None."""
    is_printable = not any(unicodedata.category(char) in _CONTROL for char in name)
    if not person_of(name) or len(name) > MAX_NAME_CHARS or not is_printable:
        return f"a name has 1 to {MAX_NAME_CHARS} printable characters"
    return None


def _is_unseen(char: str) -> bool:
    # Format characters, and selectors of a glyph's variant.
    is_selector = 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF
    return is_selector or char in _UNSEEN or unicodedata.category(char) == "Cf"
