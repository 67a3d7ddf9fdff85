"""What Google Play tells of an install: the token in its referrer, and whether its times can be."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, unquote_plus

from domain.intake.facts import CLOCK_SKEW

KEPT: Final = timedelta(days=90)
"""Play keeps an install's referrer for 90 days and does not change it before a reinstall
(developer.android.com/google/play/installreferrer/igetinstallreferrerservice)."""
STRICT_SKEW: Final = timedelta(seconds=5)
"""Between this service's clock and Play's servers', where nothing else tells of the click."""
TOKEN: Final = "referral_token"
NESTED: Final = "referrer"
ADDRESS: Final = re.compile(r"^[a-z][a-z0-9+.-]*:[^?]*\?", re.IGNORECASE)
"""Of a whole link, all before its query."""
MAX_REFERRER_DEPTH: Final = 3
"""How often a referrer may be wrapped in another, by redirects and advertising links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Install:
    """What the Play Install Referrer library gave, under its own names.

    Times are Unix time in whole seconds; 0 is unknown. Those of a device come from its own clock,
    which may be wrong; those of a server from Google's.
    """

    install_referrer: str
    referrer_click_timestamp_seconds: int = 0
    install_begin_timestamp_seconds: int = 0
    referrer_click_timestamp_server_seconds: int = 0
    install_begin_timestamp_server_seconds: int = 0
    install_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When things happened, 0 if unknown; the click and the install's beginning by one clock."""

    clicked_s: int
    began_s: int
    invited_s: int
    now_s: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that no honest install shows."""

    name: str
    is_broken: Callable[[Timing], bool]


def extract_token(install_referrer: str, depth: int = 0) -> str | None:
    """The referral token in a raw referrer; organic installs and other campaigns have none."""
    parameters = parse_qs(ADDRESS.sub("", install_referrer))
    if TOKEN in parameters:
        return parameters[TOKEN][0]
    inner = parameters.get(NESTED, [unquote_plus(install_referrer)])[0]
    if depth == MAX_REFERRER_DEPTH or inner == install_referrer:
        return None
    return extract_token(inner, depth + 1)


def first_broken_rule(install: Install, *, invited_at: datetime, now: datetime) -> str | None:
    """The name of the first rule that an install breaks.

    Malware that notices an install in progress opens a link of its own, to be credited for it
    ("click injection"); the click is then later than the install's beginning. Play tells both
    times since 2017 for this purpose
    (adjust.com/blog/eliminating-click-injections-with-google-play-referrer-api). `invited_at` is
    when this service made the invitation that the token belongs to.
    """
    timing = _timing(install, invited_at=invited_at, now=now)
    return next((rule.name for rule in RULES if rule.is_broken(timing)), None)


def _timing(install: Install, *, invited_at: datetime, now: datetime) -> Timing:
    of_servers = (
        install.referrer_click_timestamp_server_seconds,
        install.install_begin_timestamp_server_seconds,
    )
    of_device = (install.referrer_click_timestamp_seconds, install.install_begin_timestamp_seconds)
    # One clock is asked, because two of them need not agree on which came first.
    clocks = (of_servers, of_device)
    whole = next((times for times in clocks if all(times)), None)
    clicked_s, began_s = whole or next((times for times in clocks if any(times)), (0, 0))
    return Timing(
        clicked_s=clicked_s,
        began_s=began_s,
        invited_s=int(invited_at.timestamp()),
        now_s=int(now.timestamp()),
    )


def _is_click_after_install_began(timing: Timing) -> bool:
    return 0 < timing.began_s < timing.clicked_s


def _is_in_the_future(timing: Timing) -> bool:
    return max(timing.clicked_s, timing.began_s) > timing.now_s + _seconds(CLOCK_SKEW)


def _is_invitation_after_install_began(timing: Timing) -> bool:
    skew = CLOCK_SKEW if timing.clicked_s else STRICT_SKEW
    return 0 < timing.began_s < timing.invited_s - _seconds(skew)


def _is_click_before_invitation(timing: Timing) -> bool:
    return 0 < timing.clicked_s < timing.invited_s - _seconds(CLOCK_SKEW)


def _is_older_than_retention(timing: Timing) -> bool:
    known = [moment for moment in (timing.clicked_s, timing.began_s) if moment]
    return bool(known) and min(known) < timing.now_s - _seconds(KEPT + CLOCK_SKEW)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


RULES: Final = (
    Rule("click_after_install_began", _is_click_after_install_began),
    Rule("time_in_the_future", _is_in_the_future),
    Rule("invitation_after_install_began", _is_invitation_after_install_began),
    Rule("click_before_invitation", _is_click_before_invitation),
    Rule("referrer_older_than_kept", _is_older_than_retention),
)
