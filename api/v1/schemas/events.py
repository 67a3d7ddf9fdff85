"""What other services report, as they send it."""

from typing import Any, Literal

from pydantic import Field

from api.v1.schemas.fields import (
    Brought,
    Currency,
    Id,
    Line,
    OptionalText64,
    OptionalText64OrHash,
    OptionalText320,
    PastTime,
    PositiveMoneyIn,
    RequestBody,
    ResponseBody,
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


class EventIn(RequestBody):
    """What all events have: the reporter's id of it, and when it happened."""

    event_id: Id
    occurred_at: PastTime
    player_id: Id

    def fact(self, hasher: Hasher) -> Fact:
        """The fact, its personal fields already hashed."""
        raise NotImplementedError

    def _hashed_fields(self, hasher: Hasher) -> dict[str, Any]:
        return hasher.hash_personal(dict(self))


class SignupIn(EventIn):
    """A player opened an account."""

    platform: Word
    jurisdiction: Line
    currency: Currency
    referral_token: Brought = None
    cookie_token: Brought = None
    code: Brought = None
    locale: Brought = None
    ip: OptionalText64OrHash = None
    user_agent: Brought = None
    device_id: OptionalText320 = None
    email: OptionalText320 = None
    phone: OptionalText64OrHash = None
    kyc_subject: OptionalText320 = None
    full_name: OptionalText320 = None

    def fact(self, hasher: Hasher) -> Signup:
        return Signup(**self._hashed_fields(hasher))


class DepositIn(EventIn):
    """A deposit that was settled."""

    deposit_id: Id
    amount: PositiveMoneyIn
    payment_instrument: OptionalText320 = None
    method: OptionalText64 = None
    ip: OptionalText64OrHash = None
    device_id: OptionalText320 = None
    jurisdiction: OptionalText64 = None

    def fact(self, hasher: Hasher) -> Deposit:
        return Deposit(**self._hashed_fields(hasher) | {"amount": self.amount.money()})


class ChargebackIn(EventIn):
    """A deposit taken back, in part or, without an amount, as a whole; or given back when won."""

    deposit_id: Id
    kind: TakeBack
    amount: PositiveMoneyIn | None = None

    def fact(self, hasher: Hasher) -> Chargeback:
        amount = self.amount.money() if self.amount else None
        return Chargeback(**self._hashed_fields(hasher) | {"amount": amount})


class WagerIn(EventIn):
    """A bet that was settled."""

    stake: PositiveMoneyIn

    def fact(self, hasher: Hasher) -> Wager:
        return Wager(**self._hashed_fields(hasher) | {"stake": self.stake.money()})


class StatusChangeIn(EventIn):
    """A player's standing with the sportsbook changed."""

    status: PlayerStatus

    def fact(self, hasher: Hasher) -> StatusChange:
        return StatusChange(**self._hashed_fields(hasher))


class Accepted(ResponseBody):
    event_id: str
    status: Literal["accepted", "duplicate"] = Field(
        description="`duplicate`: this very event was stored before; nothing changed"
    )
