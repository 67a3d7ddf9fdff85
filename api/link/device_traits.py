"""What a browser's headers tell of a device, to be compared with an app's first open later."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from ua_parser import parse
from ua_parser.core import OS, UserAgent

from domain.attribution.matching import signals_of

LONGEST_AGENT: Final = 512
LONGEST_LOCALE: Final = 64
MOST_REMEMBERED: Final = 4096
FROZEN_SINCE: Final = 26
"""Since then Safari names its own version truly, and always the same one of iOS
(nielsleenheer.com/articles/2025/the-user-agent-string-of-safari-on-ios-26-and-macos-26)."""


def signals_in(*, agent: str | None, accept_language: str | None = None) -> dict[str, str]:
    """The signals of `domain.matching.signals_of`, as far as they can be seen, in words."""
    seen = dict(_device(agent[:LONGEST_AGENT])) if agent else {}
    return signals_of(**seen, locale=(accept_language or "")[:LONGEST_LOCALE])


@lru_cache(MOST_REMEMBERED)
def _device(agent: str) -> Mapping[str, str]:
    found = parse(agent)
    seen = {"model": found.device.model if found.device else None}
    if found.os is not None:
        seen |= {"os": found.os.family, "os_version": _version(found.os, found.user_agent)}
    return {name: text for name, text in seen.items() if text}


def _version(system: OS, browser: UserAgent | None) -> str | None:
    told: OS | UserAgent = system
    if system.family == "iOS" and browser is not None and browser.family == "Mobile Safari":
        told = browser if int(browser.major or 0) >= FROZEN_SINCE else system
    return told.major and f"{told.major}.{told.minor or 0}"


# It compiles its patterns when first asked, which should not be in a visitor's time.
_device("")
