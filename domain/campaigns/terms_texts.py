"""Texts of an offer's full terms, one for each jurisdiction, and the version of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.campaigns.helplines import ELSEWHERE
from domain.jurisdictions import canonical, country_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsText:
    """The full terms as they are shown in one place."""

    jurisdiction: str
    """ISO 3166 code, or `*` for every place that has no text of its own."""
    version: str
    url: str


def text_for(texts: Sequence[TermsText], place: str | None) -> TermsText | None:
    """Return the text of a place, else that of its country, else the one for elsewhere."""
    known = {canonical(text.jurisdiction): text for text in texts}
    wanted = (canonical(place), country_of(place), ELSEWHERE) if place else (ELSEWHERE,)
    return next((known[name] for name in wanted if name in known), None)
