"""Lines of a replay: referrals that wait for the same limit and ask the same of all limits."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush

from domain.rewards.limit_use import Needs
from domain.rewards.simulation import Earned

Order = tuple[datetime, str]
"""Place among those that wait: the time at which the terms were met, and the referral's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A kind of referral, and what it waits for."""

    kind: Hashable
    until: datetime
    limit: str


@dataclass(slots=True)
class Line:
    """Referrals that are judged alike, as long as nothing else is paid or taken back."""

    cause: Cause
    needs: Needs | None
    """Rewards that each asks of the limits; None for a line of one, which asks by its number."""
    members: list[tuple[datetime, str, Earned]] = field(default_factory=list)
    """A heap."""

    @property
    def first(self) -> Order:
        return self.members[0][:2]


class WaitingLines:
    """All lines, each announced at the time it waits for whenever another referral leads it."""

    def __init__(self, announce: Callable[[Line], None]) -> None:
        self._announce = announce
        self._lines: dict[Cause, Line] = {}

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines.values())

    def is_led_by(self, line: Line, order: Order, at: datetime) -> bool:
        """Return whether a line waits for an instant, and is led by a referral."""
        return line.cause.until == at and bool(line.members) and line.first == order

    def add(self, cause: Cause, needs: Needs | None, one: Earned) -> None:
        line = self._lines.setdefault(cause, Line(cause, needs))
        heappush(line.members, (one.met_at, one.referral_id, one))
        if line.first == (one.met_at, one.referral_id):
            self._announce(line)

    def take_first(self, line: Line) -> Earned:
        one = heappop(line.members)[2]
        if not line.members:
            del self._lines[line.cause]
        return one

    def split(self, line: Line, *, before: Order) -> Line:
        """Take the first of a line, and those behind it that come before another referral."""
        taken = [heappop(line.members)]
        while line.members and line.first < before:
            taken.append(heappop(line.members))
        if not line.members:
            del self._lines[line.cause]
        return Line(line.cause, line.needs, taken)

    def drop(self, line: Line) -> None:
        if self._lines.get(line.cause) is line:
            del self._lines[line.cause]

    def move(self, line: Line, cause: Cause) -> None:
        """Let all of a line wait for something else, among those that do already."""
        self.drop(line)
        line.cause = cause
        other = self._lines.get(cause)
        if other is not None:
            few, line = sorted((line, other), key=lambda one: len(one.members))
            for member in few.members:
                heappush(line.members, member)
            few.members = []
        self._lines[cause] = line
        self._announce(line)
