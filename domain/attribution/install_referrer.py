"""Google Play's report of an install: the token in its referrer, and the rules for its times."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, unquote_plus

from domain.field_shapes import has_shape
from domain.intake.facts import CLOCK_SKEW

REFERRER_RETENTION: Final = timedelta(days=90)
"""Time that Play keeps an install's referrer, unchanged until a reinstall
(developer.android.com/google/play/installreferrer/igetinstallreferrerservice)."""
STRICT_SKEW: Final = timedelta(seconds=5)
"""Clock difference to Play's servers that is allowed where the time of the click is unknown."""
TOKEN_PARAMETER: Final = "referral_token"
NESTED_PARAMETER: Final = "referrer"
ADDRESS: Final = re.compile(r"^[a-z][a-z0-9+.-]*:[^?]*\?", re.IGNORECASE)
"""The part of a whole link before its query."""
AFTER_TOKEN: Final = re.compile(r"[^A-Za-z0-9._-].*", re.DOTALL)
"""Text that a browser, an advertising link or a chat has left behind a token."""
MAX_REFERRER_DEPTH: Final = 3
"""Nested referrers that are unwrapped, as redirects and advertising links nest them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Install:
    """A report of the Play Install Referrer library, under its own names.

    Times are Unix time in whole seconds; 0 is unknown. The device's times are by its own clock,
    which may be wrong, the server's by Google's.
    """

    install_referrer: str
    referrer_click_timestamp_seconds: int = 0
    install_begin_timestamp_seconds: int = 0
    referrer_click_timestamp_server_seconds: int = 0
    install_begin_timestamp_server_seconds: int = 0
    install_version: str | None = None

    def without_strangers(self) -> "Install":
        """Return the report without what others wrote into it: advertising ids, mail addresses."""
        token = extract_token(self.install_referrer)
        is_kept = token is not None and has_shape("referral_token", token)
        version = self.install_version
        return replace(
            self,
            install_referrer=f"{TOKEN_PARAMETER}={token}" if is_kept else "",
            install_version=version if version and has_shape("install_version", version) else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallTiming:
    """Times in Unix seconds, 0 if unknown; the click and the install's beginning by one clock."""

    clicked_s: int
    began_s: int
    invited_s: int
    now_s: int


@dataclass(frozen=True, slots=True)
class PlausibilityRule:
    """One property that no honest install has."""

    name: str
    is_broken: Callable[[InstallTiming], bool]


def extract_token(install_referrer: str, depth: int = 0) -> str | None:
    """Return a raw referrer's referral token; organic installs and other campaigns have none."""
    parameters = parse_qs(ADDRESS.sub("", install_referrer.strip()))
    if TOKEN_PARAMETER in parameters:
        found = parameters[TOKEN_PARAMETER][0].strip()
        return AFTER_TOKEN.sub("", found) or found
    inner = parameters.get(NESTED_PARAMETER, [unquote_plus(install_referrer)])[0]
    if depth == MAX_REFERRER_DEPTH or inner == install_referrer:
        return None
    return extract_token(inner, depth + 1)


def first_broken_rule(install: Install, *, invited_at: datetime, now: datetime) -> str | None:
    """Return the name of the first rule that an install breaks, or None.

    Malware that notices an install in progress opens a link of its own, to be credited for it
    ("click injection"); the click is then later than the install's beginning. Play reports both
    times since 2017 for this purpose
    (adjust.com/blog/eliminating-click-injections-with-google-play-referrer-api). `invited_at` is
    when the token's invitation was opened.
    """
    timing = _timing(install, invited_at=invited_at, now=now)
    return next((rule.name for rule in PLAUSIBILITY_RULES if rule.is_broken(timing)), None)


def _timing(install: Install, *, invited_at: datetime, now: datetime) -> InstallTiming:
    of_servers = (
        install.referrer_click_timestamp_server_seconds,
        install.install_begin_timestamp_server_seconds,
    )
    of_device = (install.referrer_click_timestamp_seconds, install.install_begin_timestamp_seconds)
    # The times of one clock, because two clocks need not agree on which came first.
    clocks = (of_servers, of_device)
    whole = next((times for times in clocks if all(times)), None)
    clicked_s, began_s = whole or next((times for times in clocks if any(times)), (0, 0))
    return InstallTiming(
        clicked_s=clicked_s,
        began_s=began_s,
        invited_s=int(invited_at.timestamp()),
        now_s=int(now.timestamp()),
    )


def _is_click_after_install_began(timing: InstallTiming) -> bool:
    return 0 < timing.began_s < timing.clicked_s


def _is_in_the_future(timing: InstallTiming) -> bool:
    return max(timing.clicked_s, timing.began_s) > timing.now_s + _seconds(CLOCK_SKEW)


def _is_invitation_after_install_began(timing: InstallTiming) -> bool:
    skew = CLOCK_SKEW if timing.clicked_s else STRICT_SKEW
    return 0 < timing.began_s < timing.invited_s - _seconds(skew)


def _is_click_before_invitation(timing: InstallTiming) -> bool:
    return 0 < timing.clicked_s < timing.invited_s - _seconds(CLOCK_SKEW)


def _is_older_than_retention(timing: InstallTiming) -> bool:
    known = [moment for moment in (timing.clicked_s, timing.began_s) if moment]
    return bool(known) and min(known) < timing.now_s - _seconds(REFERRER_RETENTION + CLOCK_SKEW)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


PLAUSIBILITY_RULES: Final = (
    PlausibilityRule("click_after_install_began", _is_click_after_install_began),
    PlausibilityRule("time_in_the_future", _is_in_the_future),
    PlausibilityRule("invitation_after_install_began", _is_invitation_after_install_began),
    PlausibilityRule("click_before_invitation", _is_click_before_invitation),
    PlausibilityRule("referrer_older_than_kept", _is_older_than_retention),
)
