"""Free texts of events: what a person typed or a program sent, which never makes an event fail."""

from typing import Final

from domain.intake.facts import MAX_TEXT_CHARACTERS, UNSTORABLE_CHARACTERS

FREE_TEXTS: Final = frozenset(
    {"referral_token", "cookie_token", "code", "locale", "ip", "user_agent"}
)
"""Fields of events that are cut where another text would be refused."""


def cut_to_storable(text: str) -> str:
    """Replace what cannot be stored, and cut what is too long, so that the event is kept."""
    return UNSTORABLE_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text)[:MAX_TEXT_CHARACTERS]
