"""Languages of the pages and texts for people, and the choice of one for a request."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from referrals.localisation.languages import ENGLISH, Language, load_language

CATALOGUES_DIR: Final = Path(__file__).parent / "landing" / "locale"
"""Catalogues, compiled at import; English needs none, because its sentences are in the code."""
MAX_ACCEPT_LANGUAGE_CHARS: Final = 256
"""Characters of Accept-Language that are read."""
LANGUAGE_RANGE: Final = re.compile(
    r"[\s\"'\[(<{]*([a-z]{1,8}(?:[-_]+[a-z0-9]{1,8})*)", re.IGNORECASE
)
"""A language range of RFC 4647, or an operating system's locale, at the start of a text."""
WEIGHT: Final = re.compile(r";\s*q\s*=\s*([01]?(?:\.\d*)?)", re.IGNORECASE)
THREE_LETTERS: Final = {
    "eng": "en",
    "spa": "es",
    "por": "pt",
    "fra": "fr",
    "fre": "fr",
    "deu": "de",
    "ger": "de",
}
"""Codes of ISO 639-2, which some devices send."""


def negotiate_language(accept_language: str, *, preferred: str | None = None) -> Language:
    """Return the best language for an `Accept-Language` header, unless `preferred` is offered.

    Tags may be written in any case, and with underscores as operating systems do; a tag that
    nobody knows is passed over. Of a list that is preferred, the first one counts.
    """
    wish = LANGUAGE_RANGE.match((preferred or "").encode("ascii", "ignore").decode())
    ranges = [*([wish[1]] if wish else ()), *_by_preference(accept_language)]
    offered = [(_folded_tag(tag), language) for tag, language in LANGUAGES.items()]
    for wanted in map(_folded_tag, ranges):
        for tag, language in offered:
            if wanted == tag or wanted.startswith(f"{tag}-"):
                return language
    return ENGLISH


def _folded_tag(tag: str) -> str:
    primary, _, rest = tag.replace("_", "-").lower().partition("-")
    return "-".join(filter(None, (THREE_LETTERS.get(primary, primary), rest)))


def _by_preference(accept_language: str) -> Iterator[str]:
    parts = accept_language[:MAX_ACCEPT_LANGUAGE_CHARS].split(",")
    weighted = [
        (_weight(part), match[1]) for part in parts if (match := LANGUAGE_RANGE.match(part))
    ]
    for weight, tag in sorted(weighted, key=lambda pair: -pair[0]):
        if weight > 0:
            yield tag


def _weight(part: str) -> float:
    """Return a range's weight; one that cannot be read counts as left out, which is 1."""
    found = WEIGHT.search(part)
    return float(found[1]) if found and found[1].strip(".") else 1.0


LANGUAGES: Final = {
    "en": ENGLISH,
    "es": load_language(CATALOGUES_DIR, "es", "ES"),
    "pt": load_language(CATALOGUES_DIR, "pt", "BR"),
    "fr": load_language(CATALOGUES_DIR, "fr", "FR"),
    "de": load_language(CATALOGUES_DIR, "de", "DE"),
}
