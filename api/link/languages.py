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
    r"\s*([A-Za-z]{1,8}(?:[-_][A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.\d*)?)\s*)?",
    re.IGNORECASE,
)
"""A language range of RFC 4647 and its weight."""
LIST_END: Final = re.compile("[,;@.]")
"""End of the first tag of a list, or of a locale's tag before its encoding."""


def negotiate_language(accept_language: str, *, preferred: str | None = None) -> Language:
    """Return the best language for an `Accept-Language` header, unless `preferred` is offered.

    Tags may be written in any case, and with underscores as operating systems do; a tag that
    nobody knows is passed over. Of a list that is preferred, the first one counts.
    """
    wish = LIST_END.split(preferred or "", maxsplit=1)[0]
    ranges = [tag for tag in (wish, *_by_preference(accept_language)) if tag]
    offered = [(_folded_tag(tag), language) for tag, language in LANGUAGES.items()]
    for wanted in map(_folded_tag, ranges):
        for tag, language in offered:
            if wanted == tag or wanted.startswith(f"{tag}-"):
                return language
    return ENGLISH


def _folded_tag(tag: str) -> str:
    return tag.strip().replace("_", "-").lower()


def _by_preference(accept_language: str) -> Iterator[str]:
    parts = accept_language[:MAX_ACCEPT_LANGUAGE_CHARS].split(",")
    found = [LANGUAGE_RANGE.fullmatch(part) for part in parts]
    weighted = [(float(match[2] or 1), match[1]) for match in found if match]
    for weight, tag in sorted(weighted, key=lambda pair: -pair[0]):
        if weight > 0:
            yield tag


LANGUAGES: Final = {
    "en": ENGLISH,
    "es": load_language(CATALOGUES_DIR, "es", "ES"),
    "pt": load_language(CATALOGUES_DIR, "pt", "BR"),
    "fr": load_language(CATALOGUES_DIR, "fr", "FR"),
    "de": load_language(CATALOGUES_DIR, "de", "DE"),
}
