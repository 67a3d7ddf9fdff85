"""Which links were followed behind an address and not taken up yet: known here without the service.

It holds the service to its word that two codes behind one address ask nobody anything.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

MATCH_WINDOW: Final = timedelta(hours=2)
"""That of the simulation's campaigns, which keep the default."""


@dataclass(frozen=True, slots=True)
class _Followed:
    code: str
    by: str
    at: datetime
    ip: str


@dataclass(slots=True)
class Links:
    """Those of one place, whose people act one after the other."""

    _open: list[_Followed] = field(default_factory=list)

    def followed(self, code: str, *, by: str, at: datetime, ip: str) -> None:
        self._open.append(_Followed(code, by, at, ip))

    def taken_up(self, *, by: str) -> None:
        """Somebody signed up, with a link or without: theirs are no doubt about others any more."""
        self._open = [one for one in self._open if one.by != by]

    def lately(self, *, at: datetime, ip: str) -> set[str]:
        """The codes of links that may still be somebody's at that address."""
        self._open = [one for one in self._open if at < one.at + MATCH_WINDOW]
        return {one.code for one in self._open if one.ip == ip}
