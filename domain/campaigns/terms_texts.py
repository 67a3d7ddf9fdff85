"""Texts of an offer's full terms, one for each jurisdiction, and the version of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.campaigns.helplines import ELSEWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsText:
    """The full terms as they are shown in one place."""

    jurisdiction: str
    """ISO 3166 code, or `*` for every place that has no text of its own."""
    version: str
    url: str


def text_for(texts: Sequence[TermsText], place: str | None) -> TermsText | None:
    """Return the text of a place, else that of its country, else the one for elsewhere."""
    known = {text.jurisdiction: text for text in texts}
    country = place.partition("-")[0] if place else None
    wanted = (name for name in (place, country, ELSEWHERE) if name in known)
    return next((known[name] for name in wanted if name), None)
