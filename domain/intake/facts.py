"""Facts that other services report; each counts once, however late and often it arrives."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Final, NamedTuple

from domain.intake.sources import DEFAULT_SOURCE, SEPARATOR, SOURCE_PATTERN, stored_event_id
from domain.money import Money

CLOCK_SKEW: Final = timedelta(minutes=5)
"""Largest difference between the clocks of two reporting services: a deposit up to this long before
its signup counts as made at the signup."""


class FactKind(StrEnum):
    SIGNUP = "signup"
    DEPOSIT = "deposit"
    CHARGEBACK = "chargeback"
    WAGER = "wager"
    PLAYER = "player"
    DECISION = "decision"
    WITHDRAWAL = "withdrawal"


ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
ID_FIELDS: Final = frozenset({"player_id", "deposit_id", "dispute_id", "withdrawal_id"})
STORED_EVENT_ID_PATTERN: Final = re.compile(
    rf"(?:{SOURCE_PATTERN.pattern}{SEPARATOR})?{ID_PATTERN.pattern}"
)
MAX_TEXT_CHARACTERS: Final = 1024
UNSTORABLE_CHARACTERS: Final = re.compile(r"[\0\ud800-\udfff]")
"""NUL and unpaired surrogates, which Postgres refuses."""
_TEXT: Final = re.compile(rf"[^\0\ud800-\udfff]{{0,{MAX_TEXT_CHARACTERS}}}")
_PATTERNS: Final = {
    "event_id": STORED_EVENT_ID_PATTERN,
    **dict.fromkeys(sorted(ID_FIELDS), ID_PATTERN),
}
"""Pattern of a field's texts, where it is not that of any text."""
MIN_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
MAX_TIME: Final = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseFact:
    """Common fields of facts: the stored id of the event, which names its source, and its time.

    Raises ValueError for a value that cannot be stored: an act would retry to record it for ever.
    """

    event_id: str
    occurred_at: datetime

    def __post_init__(self) -> None:
        if self.occurred_at.tzinfo is None:
            raise ValueError(f"{self.event_id} has a time without an offset")
        if not MIN_TIME <= self.occurred_at < MAX_TIME:
            raise ValueError(f"{self.event_id} has a time outside this century")
        names, checks, values_of = _CHECKS.get(type(self)) or _checks_of(type(self))
        for name, is_storable, value in zip(names, checks, values_of(self), strict=True):
            if isinstance(value, str) and not is_storable(value):
                raise ValueError(f"{name} of an event cannot be stored")


class _Checks(NamedTuple):
    names: Sequence[str]
    are_storable: Sequence[Callable[[str], object]]
    values_of: Callable[[BaseFact], Sequence[object]]


_CHECKS: Final[dict[type[BaseFact], _Checks]] = {}
"""The fields of each fact and the checks of their texts: every fact of a backlog is checked."""


def _checks_of(shape: type[BaseFact]) -> _Checks:
    names = [each.name for each in fields(shape)]
    checks = [_PATTERNS.get(name, _TEXT).fullmatch for name in names]
    return _CHECKS.setdefault(shape, _Checks(names, checks, attrgetter(*names)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signup(BaseFact):
    """A player opened an account. Personal fields hold keyed hashes, never the values."""

    player_id: str
    platform: str
    jurisdiction: str
    currency: str
    referral_token: str | None = None
    cookie_token: str | None = None
    """A referral token that the page read from the first-party cookie."""
    code: str | None = None
    locale: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    device_id: str | None = None
    email: str | None = None
    phone: str | None = None
    kyc_subject: str | None = None
    full_name: str | None = None
    accepted_terms: str | None = None
    """Version of the offer's terms that the player was shown and accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit(BaseFact):
    """A deposit that the payments service has settled."""

    player_id: str
    deposit_id: str
    amount: Money
    payment_instrument: str | None = None
    method: str | None = None
    ip: str | None = None
    device_id: str | None = None
    jurisdiction: str | None = None


class TakeBack(StrEnum):
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    CHARGEBACK = "chargeback"
    CHARGEBACK_WON = "chargeback_won"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chargeback(BaseFact):
    """A deposit taken back, or given back by a failed refund or a chargeback that was won.

    `amount` is that of this event alone, never a running total; the whole deposit without it.
    """

    player_id: str
    deposit_id: str
    kind: TakeBack
    amount: Money | None = None
    dispute_id: str | None = None
    """Names the matter that several events are about, such as a dispute or a refund."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wager(BaseFact):
    """A bet that was settled."""

    player_id: str
    stake: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal(BaseFact):
    """Money that a player took out; evidence for fraud rules, it moves no reward."""

    player_id: str
    withdrawal_id: str
    amount: Money
    payment_instrument: str | None = None


class PlayerStatus(StrEnum):
    VERIFIED = "verified"
    SELF_EXCLUDED = "self_excluded"
    CLOSED = "closed"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange(BaseFact):
    """A change of a player's status at the sportsbook."""

    player_id: str
    status: PlayerStatus


class Choice(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(BaseFact):
    """A reviewer's decision on a held reward."""

    reviewer: str
    decision: Choice
    reason: str


Fact = Signup | Deposit | Chargeback | Wager | StatusChange | Decision | Withdrawal

FACT_TYPES: Final[dict[FactKind, type[Fact]]] = {
    FactKind.SIGNUP: Signup,
    FactKind.DEPOSIT: Deposit,
    FactKind.CHARGEBACK: Chargeback,
    FactKind.WAGER: Wager,
    FactKind.PLAYER: StatusChange,
    FactKind.DECISION: Decision,
    FactKind.WITHDRAWAL: Withdrawal,
}
_KINDS_BY_TYPE: Final = {shape: kind for kind, shape in FACT_TYPES.items()}


def kind_of(fact: Fact) -> FactKind:
    """Return the kind of a fact; raise TypeError for anything else, such as a malformed signal."""
    kind = _KINDS_BY_TYPE.get(type(fact))
    if kind is None:
        raise TypeError(f"{type(fact).__name__} is not a fact")
    return kind


def from_source(fact: Fact, source: str) -> Fact:
    """Return a fact whose event id names its source."""
    if source == DEFAULT_SOURCE:
        return fact
    return replace(fact, event_id=stored_event_id(source, fact.event_id))
