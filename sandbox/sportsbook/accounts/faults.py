"""Faults of the account service that tests and demos switch on, for one player or for everybody."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    TIMEOUT_AFTER_COMMIT = "timeout_after_commit"
    """It posts, and the connection breaks before the answer."""
    TIMEOUT_BEFORE_COMMIT = "timeout_before_commit"
    SERVER_ERROR = "server_error"
    SERVER_ERROR_AFTER_COMMIT = "server_error_after_commit"
    WRONG_AMOUNT = "wrong_amount"
    """It posts what was asked for, and answers with another amount."""
    WRONG_PLAYER = "wrong_player"
    NO_JSON = "no_json"
    CONFLICT = "conflict"
    """409 with a code that is not a refusal, after it has posted."""
    REDIRECT = "redirect"
    SLOW = "slow"


@dataclass(slots=True)
class Faults:
    """Faults of postings; look-ups work unless the service is away."""

    is_away: bool = False
    """Nobody is answered; the sandbox's hour is over when it is set back."""
    wrong_lookup_of: set[str] = field(default_factory=set)
    """Players whose look-ups also answer with another amount."""
    hide_next_lookup: bool = False
    """The next look-up does not find what was posted, as a replica that is late."""
    slow_s: float = 0.0
    _of_player: dict[str, tuple[Fault, int | None]] = field(default_factory=dict)
    _of_everybody: tuple[Fault, int | None] | None = None
    counts: Counter[str] = field(default_factory=Counter)
    """Number of postings that met each fault."""

    def inject(
        self, fault: Fault, *, player_id: str | None = None, times: int | None = None
    ) -> None:
        """Let the next `times` postings fail, or all, of one player or of everybody."""
        if player_id is None:
            self._of_everybody = (fault, times)
        else:
            self._of_player[player_id] = (fault, times)

    def clear(self) -> None:
        self.is_away, self._of_everybody = False, None
        self._of_player.clear()
        self.wrong_lookup_of.clear()

    def take(self, player_id: str) -> Fault | None:
        """Return the fault that this posting meets, and count it."""
        found = self._of_player.get(player_id) or self._of_everybody
        if found is None:
            return None
        fault, times = found
        if times is not None:
            left = (fault, times - 1) if times > 1 else None
            if player_id not in self._of_player:
                self._of_everybody = left
            elif left:
                self._of_player[player_id] = left
            else:
                del self._of_player[player_id]
        self.counts[fault] += 1
        return fault
