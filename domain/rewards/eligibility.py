"""Eligibility: whether a player may be credited, one dimension for each thing that can be wrong."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import accumulate

from domain.intake.facts import PlayerStatus, StatusChange


class Ineligibility(StrEnum):
    """A dimension in which a player may not be credited; also the reason code that is stored."""

    SELF_EXCLUDED = "self_excluded"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """A player's state in each dimension; a player of whom nothing was reported is eligible."""

    is_excluded: bool = False
    is_closed: bool = False
    is_verified: bool = False

    @property
    def reasons(self) -> tuple[Ineligibility, ...]:
        """The dimensions that are wrong; empty for a player who may be credited."""
        wrong = (
            (Ineligibility.SELF_EXCLUDED, self.is_excluded),
            (Ineligibility.CLOSED, self.is_closed),
        )
        return tuple(reason for reason, applies in wrong if applies)


def eligibility(changes: Iterable[StatusChange], *, as_of: datetime | None = None) -> Eligibility:
    """Fold one player's status changes, in the order of their times, up to and with `as_of`.

    `verified` is a dimension of its own and ends nothing. `restored` ends the exclusion and the
    closure up to that time, and of the same instant; later ones stand.
    """
    known = [change for change in changes if as_of is None or change.occurred_at <= as_of]
    state = Eligibility()
    for change in sorted(known, key=status_order):
        state = _after(state, change.status)
    return state


class StatusHistory:
    """One player's changes of status, with the state before each."""

    def __init__(self, changes: Iterable[StatusChange]) -> None:
        self._changes = sorted(changes, key=status_order)
        statuses = (change.status for change in self._changes)
        self._states = list(accumulate(statuses, _after, initial=Eligibility()))
        restored = [c for c in self._changes if c.status is PlayerStatus.RESTORED]
        self._last_restored = restored[-1] if restored else None

    def before(self, change: StatusChange) -> Eligibility:
        return self._states[bisect_left(self._changes, status_order(change), key=status_order)]

    def is_restored_after(self, change: StatusChange) -> bool:
        last = self._last_restored
        return last is not None and status_order(last) > status_order(change)


def status_order(change: StatusChange) -> tuple[datetime, bool, str]:
    """Return the place of a change among those of its player."""
    return change.occurred_at, change.status is PlayerStatus.RESTORED, change.event_id


def _after(state: Eligibility, status: PlayerStatus) -> Eligibility:
    match status:
        case PlayerStatus.VERIFIED:
            return replace(state, is_verified=True)
        case PlayerStatus.SELF_EXCLUDED:
            return replace(state, is_excluded=True)
        case PlayerStatus.CLOSED:
            return replace(state, is_closed=True)
        case PlayerStatus.RESTORED:
            return replace(state, is_excluded=False, is_closed=False)
