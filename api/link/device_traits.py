"""What a browser's headers tell of a device, to be compared with an app's first open later."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from ua_parser import parse
from ua_parser.core import OS, UserAgent

from domain.attribution.matching import normalise_traits

LONGEST_AGENT: Final = 512
MAX_LOCALE_CHARS: Final = 64
MOST_REMEMBERED: Final = 4096
OS_FROZEN_SINCE_SAFARI: Final = 26
"""Since then Safari names its own version truly, and always the same one of iOS
(nielsleenheer.com/articles/2025/the-user-agent-string-of-safari-on-ios-26-and-macos-26)."""


def traits_from_headers(*, agent: str | None, accept_language: str | None = None) -> dict[str, str]:
    """The signals of `domain.matching.normalise_traits`, as far as they can be seen, in words."""
    seen = dict(_parse_device(agent[:LONGEST_AGENT])) if agent else {}
    return normalise_traits(**seen, locale=(accept_language or "")[:MAX_LOCALE_CHARS])


@lru_cache(MOST_REMEMBERED)
def _parse_device(agent: str) -> Mapping[str, str]:
    found = parse(agent)
    seen = {"model": found.device.model if found.device else None}
    if found.os is not None:
        seen |= {"os": found.os.family, "os_version": _version(found.os, found.user_agent)}
    return {name: text for name, text in seen.items() if text}


def _version(system: OS, browser: UserAgent | None) -> str | None:
    told: OS | UserAgent = system
    if system.family == "iOS" and browser is not None and browser.family == "Mobile Safari":
        told = browser if int(browser.major or 0) >= OS_FROZEN_SINCE_SAFARI else system
    return told.major and f"{told.major}.{told.minor or 0}"


# It compiles its patterns when first asked, which should not be in a visitor's time.
_parse_device("")
