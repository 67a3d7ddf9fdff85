"""What other services report, as they send it."""

from typing import Any, Literal

from pydantic import Field

from api.v1.schemas.fields import (
    Brought,
    Currency,
    Id,
    Line,
    OptionalLine,
    OptionalPersonal,
    OptionalPhrase,
    PastTime,
    PositiveMoneyIn,
    Shown,
    Strict,
    Word,
)
from domain.intake.facts import (
    Chargeback,
    Deposit,
    Fact,
    PlayerStatus,
    Signup,
    StatusChange,
    TakeBack,
    Wager,
)
from domain.privacy import Hasher


class Reported(Strict):
    """What all events have: the reporter's id of it, and when it happened."""

    event_id: Id
    occurred_at: PastTime
    player_id: Id

    def fact(self, hasher: Hasher) -> Fact:
        """The fact, its personal fields already hashed."""
        raise NotImplementedError

    def _hashed(self, hasher: Hasher) -> dict[str, Any]:
        return hasher.hash_personal(dict(self))


class SignupIn(Reported):
    """A player opened an account."""

    platform: Word
    jurisdiction: Line
    currency: Currency
    referral_token: Brought = None
    cookie_token: Brought = None
    code: Brought = None
    locale: Brought = None
    ip: OptionalPersonal = None
    user_agent: Brought = None
    device_id: OptionalPhrase = None
    email: OptionalPhrase = None
    phone: OptionalPersonal = None
    kyc_subject: OptionalPhrase = None
    full_name: OptionalPhrase = None

    def fact(self, hasher: Hasher) -> Signup:
        return Signup(**self._hashed(hasher))


class DepositIn(Reported):
    """A deposit that was settled."""

    deposit_id: Id
    amount: PositiveMoneyIn
    payment_instrument: OptionalPhrase = None
    method: OptionalLine = None
    ip: OptionalPersonal = None
    device_id: OptionalPhrase = None
    jurisdiction: OptionalLine = None

    def fact(self, hasher: Hasher) -> Deposit:
        return Deposit(**self._hashed(hasher) | {"amount": self.amount.money()})


class ChargebackIn(Reported):
    """A deposit taken back, in part or, without an amount, as a whole; or given back when won."""

    deposit_id: Id
    kind: TakeBack
    amount: PositiveMoneyIn | None = None

    def fact(self, hasher: Hasher) -> Chargeback:
        amount = self.amount.money() if self.amount else None
        return Chargeback(**self._hashed(hasher) | {"amount": amount})


class WagerIn(Reported):
    """A bet that was settled."""

    stake: PositiveMoneyIn

    def fact(self, hasher: Hasher) -> Wager:
        return Wager(**self._hashed(hasher) | {"stake": self.stake.money()})


class StatusChangeIn(Reported):
    """A player's standing with the sportsbook changed."""

    status: PlayerStatus

    def fact(self, hasher: Hasher) -> StatusChange:
        return StatusChange(**self._hashed(hasher))


class Accepted(Shown):
    event_id: str
    status: Literal["accepted", "duplicate"] = Field(
        description="`duplicate`: this very event was stored before; nothing changed"
    )
