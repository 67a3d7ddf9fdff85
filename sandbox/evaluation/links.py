"""Which links were followed behind an address lately: known here without asking the service.

It holds the service to its word that it asks only where one code may be meant.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

MATCH_WINDOW: Final = timedelta(hours=2)
"""That of the simulation's campaigns, which keep the default."""


@dataclass(frozen=True, slots=True)
class _FollowedLink:
    code: str
    by: str
    at: datetime
    ip: str


@dataclass(slots=True)
class Links:
    """Those of one place, whose people act one after the other."""

    _lately: list[_FollowedLink] = field(default_factory=list)
    _signed_up: set[str] = field(default_factory=set)

    def followed(self, code: str, *, by: str, at: datetime, ip: str) -> None:
        self._lately.append(_FollowedLink(code, by, at, ip))

    def signed_up(self, player_id: str) -> None:
        """Whatever they had followed is no doubt about others any more."""
        self._signed_up.add(player_id)

    def is_only_candidate(self, code: str, *, at: datetime, ip: str) -> bool:
        """Whether it was followed at that address within the window, and no other waits there."""
        self._lately = [one for one in self._lately if at < one.at + MATCH_WINDOW]
        here = [one for one in self._lately if one.ip == ip]
        others = {one.code for one in here if one.by not in self._signed_up} - {code}
        return not others and any(one.code == code for one in here)
