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
from domain.privacy import without_personal_data


class Reported(Strict):
    """What all events have: the reporter's id of it, and when it happened."""

    event_id: Id
    occurred_at: PastTime
    player_id: Id

    def fact(self, key: bytes) -> Fact:
        """The fact, its personal fields already hashed with the key."""
        raise NotImplementedError

    def _hashed(self, key: bytes) -> dict[str, Any]:
        return without_personal_data(dict(self), key)


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

    def fact(self, key: bytes) -> Signup:
        return Signup(**self._hashed(key))


class DepositIn(Reported):
    """A deposit that was settled."""

    deposit_id: Id
    amount: PositiveMoneyIn
    payment_instrument: OptionalPhrase = None
    method: OptionalLine = None
    ip: OptionalPersonal = None
    device_id: OptionalPhrase = None
    jurisdiction: OptionalLine = None

    def fact(self, key: bytes) -> Deposit:
        return Deposit(**self._hashed(key) | {"amount": self.amount.money()})


class ChargebackIn(Reported):
    """A deposit taken back, in part or, without an amount, as a whole; or given back when won."""

    deposit_id: Id
    kind: TakeBack
    amount: PositiveMoneyIn | None = None

    def fact(self, key: bytes) -> Chargeback:
        amount = self.amount.money() if self.amount else None
        return Chargeback(**self._hashed(key) | {"amount": amount})


class WagerIn(Reported):
    """A bet that was settled."""

    stake: PositiveMoneyIn

    def fact(self, key: bytes) -> Wager:
        return Wager(**self._hashed(key) | {"stake": self.stake.money()})


class StatusChangeIn(Reported):
    """A player's standing with the sportsbook changed."""

    status: PlayerStatus

    def fact(self, key: bytes) -> StatusChange:
        return StatusChange(**self._hashed(key))


class Accepted(Shown):
    event_id: str
    status: Literal["accepted", "duplicate"] = Field(
        description="`duplicate`: this very event was stored before; nothing changed"
    )
