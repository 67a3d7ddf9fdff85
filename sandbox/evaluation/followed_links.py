"""A record of the links followed at each address, kept without asking the service.

It checks the rule that an app is asked about a code only where no other may be meant.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

MATCH_WINDOW: Final = timedelta(hours=2)
"""The match window of the simulation's campaigns, which keep the default."""


@dataclass(frozen=True, slots=True)
class _FollowedLink:
    code: str
    player_id: str
    at: datetime
    ip: str


@dataclass(slots=True)
class FollowedLinks:
    """The links followed in one network, whose people act one at a time."""

    _recent: list[_FollowedLink] = field(default_factory=list)
    _signed_up: set[str] = field(default_factory=set)

    def record_click(self, code: str, *, player_id: str, at: datetime, ip: str) -> None:
        self._recent.append(_FollowedLink(code, player_id, at, ip))

    def record_signup(self, player_id: str) -> None:
        """Record a signup; the player's clicks no longer cast doubt on others."""
        self._signed_up.add(player_id)

    def is_only_candidate(self, code: str, *, at: datetime, ip: str) -> bool:
        """Return True if the code was followed at `ip` recently, and no other is open there."""
        self._recent = [link for link in self._recent if at < link.at + MATCH_WINDOW]
        here = [link for link in self._recent if link.ip == ip]
        others = {link.code for link in here if link.player_id not in self._signed_up} - {code}
        return not others and any(link.code == code for link in here)
