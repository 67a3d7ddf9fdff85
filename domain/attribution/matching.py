"""Probabilistic match: an app's first open and a click that may have come from the same device.

It is a guess that a person confirms: nothing is paid on it alone.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.attribution.policy import Refusal

WEIGHTS: Final[Mapping[str, float]] = {
    "model": 0.15,
    "screen": 0.1,
    "os_version": 0.1,
    "locale": 0.06,
    "time_zone": 0.04,
    "form": 0.02,
}
"""What an agreement adds; the more different values there are among phones, the more it says."""
MIN_AGREEING_TRAITS: Final = 2
BASE_CONFIDENCE: Final = 0.4
"""Of one network and one short window, before any signal; with all signals 0.87."""

SYSTEMS: Final[Mapping[str, str]] = {
    "iphone os": "ios",
    "ipados": "ios",
    "mac os x": "macos",
    "mac os": "macos",
}
SYSTEM_NAME: Final = re.compile(r"[a-z](?:[a-z ]*[a-z])?")
ANONYMOUS_MODEL: Final = "k"
"""Since version 110 Chrome says "Android 10; K" on every phone
(developers.google.com/privacy-sandbox/blog/user-agent-reduction-android-model-and-version)."""
PLACEHOLDER_MODELS: Final = frozenset(
    {"smartphone", "generic smartphone", "tablet", "generic tablet"}
)
LOCALE: Final = re.compile(
    r"(?P<language>[a-z]{2,3})(?:[-_][a-z]{4})?(?:[-_](?P<region>[a-z]{2}|\d{3}))?\b"
)
VERSION: Final = re.compile(r"(\d{1,4})(?:[._](\d{1,4}))?", re.ASCII)
SCREEN: Final = re.compile(r"(\d{2,5}) ?[x*] ?(\d{2,5})(?: ?@.*)?", re.ASCII)
APPLE_MODEL: Final = re.compile(r"(iphone|ipad|ipod)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A click behind the same network whose invitation is still open; signals are hashes."""

    referral_id: UUID
    code: str
    clicked_at: datetime
    match_window: timedelta
    signals: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The click that the first open seems to continue, and by which signals."""

    candidate: Candidate
    confidence: float
    agreed: tuple[str, ...]


def match(
    candidates: Iterable[Candidate], signals: Mapping[str, str], *, now: datetime
) -> Match | Refusal | None:
    """The one code that was followed behind this network lately, if the device fits, too.

    AMBIGUOUS when several codes were, whatever their devices look like; None when nothing fits.
    """
    recent = [
        one for one in candidates if one.clicked_at <= now < one.clicked_at + one.match_window
    ]
    if len({one.code for one in recent}) > 1:
        return Refusal.AMBIGUOUS
    matches = [found for one in recent if (found := _compared(one, signals)) is not None]
    return max(matches, key=_likelihood, default=None)


def normalise_traits(
    *,
    os: str | None = None,
    os_version: str | None = None,
    model: str | None = None,
    locale: str | None = None,
    time_zone: str | None = None,
    screen: str | None = None,
) -> dict[str, str]:
    """A device's signals in one spelling, whoever tells them; what is not known is left out.

    `locale` is a tag such as en-US or en_US, or an Accept-Language header; `screen` such as
    390x844, in points or CSS pixels; `time_zone` an IANA name. `form`, such as iphone, says
    little, and `language` is too widespread to count for a match, but speaks against one.
    """
    system = system_name(os)
    plain_model = _fold(model)
    anonymous = plain_model == ANONYMOUS_MODEL
    language, region = _locale(_fold(locale))
    known = {
        "os": system,
        "os_version": "" if anonymous else _version(system, _fold(os_version)),
        "form": _form(plain_model),
        "model": "" if anonymous else _model(plain_model),
        "language": language,
        "locale": region and f"{language}-{region}",
        "time_zone": _fold(time_zone),
        "screen": _screen(_fold(screen)),
    }
    return {name: text for name, text in known.items() if text}


def system_name(told: str | None) -> str:
    """The operating system's name in one spelling, without its version: iOS 18.5 is ios."""
    plain = _fold(told)
    named = SYSTEM_NAME.match(plain)
    name = named[0] if named else plain
    return SYSTEMS.get(name, name)


def _compared(candidate: Candidate, signals: Mapping[str, str]) -> Match | None:
    shared = candidate.signals.keys() & signals.keys()
    if any(candidate.signals[name] != signals[name] for name in shared):
        return None
    agreed = tuple(name for name in WEIGHTS if name in shared)
    if len(agreed) < MIN_AGREEING_TRAITS:
        return None
    confidence = round(BASE_CONFIDENCE + sum(WEIGHTS[name] for name in agreed), 2)
    return Match(candidate=candidate, confidence=confidence, agreed=agreed)


def _likelihood(found: Match) -> tuple[float, datetime, UUID]:
    """All of one code; the id only makes the choice the same every time."""
    return found.confidence, found.candidate.clicked_at, found.candidate.referral_id


def _fold(text: str | None) -> str:
    return " ".join((text or "").casefold().split())


def _version(system: str, text: str) -> str:
    """Major and minor with the system they are of: 18.5.1 and 18_5 are one version."""
    found = VERSION.search(text)
    return f"{system} {int(found[1])}.{int(found[2] or 0)}" if found and system else ""


def _form(model: str) -> str:
    found = APPLE_MODEL.match(model)
    return found[1] if found else ""


def _model(model: str) -> str:
    """Not a family's name: iPhone is all that Safari tells."""
    return "" if model in PLACEHOLDER_MODELS or APPLE_MODEL.fullmatch(model) else model


def _locale(text: str) -> tuple[str, str]:
    found = LOCALE.match(text)
    return (found["language"], found["region"] or "") if found else ("", "")


def _screen(text: str) -> str:
    """The same whichever way the device is held."""
    found = SCREEN.fullmatch(text)
    if found is None:
        return ""
    shorter, longer = sorted((int(found[1]), int(found[2])))
    return f"{shorter}x{longer}"
