"""What other services report. A fact counts once, whenever and however often it is heard."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.money import Money


class Kind(StrEnum):
    SIGNUP = "signup"
    DEPOSIT = "deposit"
    CHARGEBACK = "chargeback"
    WAGER = "wager"
    PLAYER = "player"
    DECISION = "decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """When it happened, and the id under which its reporter knows it."""

    event_id: str
    occurred_at: datetime

    def __post_init__(self) -> None:
        if self.occurred_at.tzinfo is None:
            raise ValueError(f"{self.event_id} has a time without an offset")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signup(Happening):
    """A player opened an account. Personal fields hold keyed hashes, never the values."""

    player_id: str
    platform: str
    jurisdiction: str
    currency: str
    referral_token: str | None = None
    code: str | None = None
    locale: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    device_id: str | None = None
    email: str | None = None
    phone: str | None = None
    kyc_subject: str | None = None
    full_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit(Happening):
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
    CHARGEBACK = "chargeback"
    CHARGEBACK_WON = "chargeback_won"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chargeback(Happening):
    """A deposit taken back, in part or, without an amount, as a whole; or given back when won."""

    player_id: str
    deposit_id: str
    kind: TakeBack
    amount: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wager(Happening):
    """A bet that was settled."""

    player_id: str
    stake: Money


class PlayerStatus(StrEnum):
    VERIFIED = "verified"
    SELF_EXCLUDED = "self_excluded"
    CLOSED = "closed"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange(Happening):
    """What the sportsbook says of a player's standing with it."""

    player_id: str
    status: PlayerStatus


class Choice(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Happening):
    """A reviewer's word on a held reward."""

    reviewer: str
    decision: Choice
    reason: str


Fact = Signup | Deposit | Chargeback | Wager | StatusChange | Decision

KINDS: Final[dict[Kind, type[Fact]]] = {
    Kind.SIGNUP: Signup,
    Kind.DEPOSIT: Deposit,
    Kind.CHARGEBACK: Chargeback,
    Kind.WAGER: Wager,
    Kind.PLAYER: StatusChange,
    Kind.DECISION: Decision,
}


def kind_of(fact: Fact) -> Kind:
    return next(kind for kind, shape in KINDS.items() if type(fact) is shape)
