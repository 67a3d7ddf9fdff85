"""Matching an app's first open to a click by device and network.

A match is a guess that a person confirms: nothing is paid on it alone.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.attribution.policy import Refusal

TRAIT_WEIGHTS: Final[Mapping[str, float]] = {
    "model": 0.15,
    "screen": 0.1,
    "os_version": 0.1,
    "locale": 0.06,
    "time_zone": 0.04,
    "form": 0.02,
}
"""Confidence that an agreeing trait adds: the more it varies among phones, the more it adds."""
MIN_AGREEING_TRAITS: Final = 2
"""Weighted traits that have to agree for a match."""
BASE_CONFIDENCE: Final = 0.4
"""Confidence of one network and one short window, before any trait; with all traits 0.87."""

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
class RecentClick:
    """A click behind the same network whose invitation is still open; its traits are hashes."""

    referral_id: UUID
    code: str
    clicked_at: datetime
    match_window: timedelta
    device_traits: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The click that the first open seems to continue, and the traits that agree."""

    click: RecentClick
    confidence: float
    agreeing_traits: tuple[str, ...]


def match_click(
    clicks: Iterable[RecentClick], device_traits: Mapping[str, str], *, now: datetime
) -> Match | Refusal | None:
    """Return the likeliest click of the one code followed behind this network within its window.

    AMBIGUOUS when several codes were followed, whatever their devices; None when no device fits.
    """
    recent = [one for one in clicks if one.clicked_at <= now < one.clicked_at + one.match_window]
    if len({one.code for one in recent}) > 1:
        return Refusal.AMBIGUOUS
    matches = [match for one in recent if (match := _compare(one, device_traits)) is not None]
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
    """Return a device's known traits in one spelling, whether a browser or an app reports them.

    `locale` is a tag such as en-US or en_US, or an Accept-Language header; `screen` such as
    390x844, in points or CSS pixels; `time_zone` an IANA name. Of the traits returned, `form`,
    such as iphone, adds little; `language` adds nothing, but a different one rules a match out.
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


def system_name(text: str | None) -> str:
    """Return a system's name in one spelling and without its version: ios for iOS 18.5."""
    plain = _fold(text)
    named = SYSTEM_NAME.match(plain)
    name = named[0] if named else plain
    return SYSTEMS.get(name, name)


def _compare(click: RecentClick, device_traits: Mapping[str, str]) -> Match | None:
    shared = click.device_traits.keys() & device_traits.keys()
    if any(click.device_traits[name] != device_traits[name] for name in shared):
        return None
    agreeing = tuple(name for name in TRAIT_WEIGHTS if name in shared)
    if len(agreeing) < MIN_AGREEING_TRAITS:
        return None
    confidence = round(BASE_CONFIDENCE + sum(TRAIT_WEIGHTS[name] for name in agreeing), 2)
    return Match(click=click, confidence=confidence, agreeing_traits=agreeing)


def _likelihood(match: Match) -> tuple[float, datetime, UUID]:
    """Return a sort key; its id only makes the choice among equals the same every time."""
    return match.confidence, match.click.clicked_at, match.click.referral_id


def _fold(text: str | None) -> str:
    return " ".join((text or "").casefold().split())


def _version(system: str, text: str) -> str:
    """Return major and minor with their system: 18.5.1 and 18_5 are one version."""
    found = VERSION.search(text)
    return f"{system} {int(found[1])}.{int(found[2] or 0)}" if found and system else ""


def _form(model: str) -> str:
    found = APPLE_MODEL.match(model)
    return found[1] if found else ""


def _model(model: str) -> str:
    """Return a model, but no family's name: iPhone is all that Safari reports."""
    return "" if model in PLACEHOLDER_MODELS or APPLE_MODEL.fullmatch(model) else model


def _locale(text: str) -> tuple[str, str]:
    found = LOCALE.match(text)
    return (found["language"], found["region"] or "") if found else ("", "")


def _screen(text: str) -> str:
    """Return a screen's size, the same whichever way the device is held."""
    found = SCREEN.fullmatch(text)
    if found is None:
        return ""
    shorter, longer = sorted((int(found[1]), int(found[2])))
    return f"{shorter}x{longer}"
