"""Schemas of the events that other services report, the same at every door."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from db.reporters import Reporter
from domain.intake.facts import (
    Chargeback,
    Deposit,
    Fact,
    PlayerStatus,
    Signup,
    StatusChange,
    TakeBack,
    Wager,
    Withdrawal,
    from_source,
)
from domain.privacy import Hasher
from referrals.intake.facts import Report
from referrals.intake.fields import (
    NOW,
    TOO_EARLY,
    AddressText,
    Consent,
    Currency,
    EventTime,
    FreeText,
    Id,
    OptionalText64,
    OptionalText64OrHash,
    OptionalText320,
    PositiveMoneyIn,
    RequestBody,
    Text32,
    Text64,
)
from referrals.intake.origins import Networks, matching_with_origin

DEVICE_AND_NETWORK: Final = frozenset({"ip", "user_agent", "device_id"})
"""Fields of events that are kept only where the person did not refuse it."""


def without_refused_traits(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event's fields but `consent`, and without device and network where it is false."""
    kept = dict(body)
    if kept.pop("consent", None) is False:
        kept |= dict.fromkeys(DEVICE_AND_NETWORK & kept.keys())
    return kept


class EventIn(RequestBody):
    """Fields that every event has."""

    event_id: Id = Field(
        description="The reporter's id of the event, the idempotency key: repeat it in every retry"
    )
    occurred_at: EventTime = Field(description="When it happened, not when it is reported")
    player_id: Id = Field(description="The sportsbook's id of the player")

    def fact_of(self, hashed: dict[str, Any]) -> Fact:
        """Return the fact to record, of this event's fields, the personal ones hashed."""
        raise NotImplementedError

    def to_report(
        self, hasher: Hasher, networks: Networks | None, *, source: str, reporter: Reporter
    ) -> Report:
        """Return what to record of an event that a reporter of this source sends."""
        said = without_refused_traits(vars(self))
        fact = from_source(self.fact_of(hasher.hash_personal(said)), source)
        code = fact.code if isinstance(fact, Signup) else None
        return Report(
            fact=fact,
            player_id=self.player_id,
            reported_by=reporter.name,
            request_id=reporter.request_id,
            matching=matching_with_origin(said, hasher, networks),
            code_hash=code and hasher.hash("code", code),
        )


def read_event(
    schema: type[EventIn], body: Mapping[str, Any], *, now: datetime | None = None
) -> EventIn:
    """Read an event of a door that ignores further fields; raise ValidationError for no event.

    `now` is the clock that it may not be ahead of, where that is not ours.
    """
    return schema.model_validate(body, extra="ignore", context={NOW: now})


def first_fault(fault: ValidationError) -> ErrorDetails:
    """Return the fault of an event to be named: one that is only early is right later."""
    errors = fault.errors(include_url=False, include_input=False)
    return min(errors, key=lambda error: error["type"] == TOO_EARLY)


class SignupIn(EventIn):
    """A player opened an account.

    Personal fields (`ip`, `user_agent`, `device_id`, `email`, `phone`, `kyc_subject`, `full_name`)
    are stored only as keyed hashes. Fields that are left out or blank count as unknown.
    """

    platform: Text32 = Field(description="`web`, `ios` or `android`")
    jurisdiction: Text64 = Field(description="Where the player may bet, such as `US-NJ`")
    currency: Currency = Field(description="ISO 4217 code of the player's account")
    referral_token: FreeText = Field(
        default=None, description="The token of this visit, or the one that `resolve` returned"
    )
    cookie_token: FreeText = Field(
        default=None,
        description="The token of an earlier visit, from the first-party cookie",
    )
    code: FreeText = Field(default=None, description="A referral code, as the player typed it")
    locale: FreeText = None
    ip: AddressText = Field(
        default=None, description="Of the player's device, not of a server or proxy"
    )
    user_agent: FreeText = None
    device_id: OptionalText320 = None
    email: OptionalText320 = None
    phone: OptionalText64OrHash = None
    kyc_subject: OptionalText320 = Field(
        default=None, description="The identity provider's id of the verified person"
    )
    full_name: OptionalText320 = None
    accepted_terms: OptionalText64 = Field(
        default=None,
        description="The version of the offer's terms that the player was shown and accepted; what"
        " is no name of a version is kept as `other`",
        examples=["nj-2026-03"],
    )
    consent: Consent = None

    def fact_of(self, hashed: dict[str, Any]) -> Signup:
        return Signup(**hashed)


class DepositIn(EventIn):
    """A settled deposit. `payment_instrument`, `ip` and `device_id` are stored only as hashes."""

    deposit_id: Id = Field(description="The id that a later chargeback of this deposit names")
    amount: PositiveMoneyIn
    payment_instrument: OptionalText320 = Field(
        default=None, description="The processor's fingerprint of the card or account"
    )
    method: OptionalText64 = Field(default=None, description="Such as `card`")
    ip: AddressText = None
    device_id: OptionalText320 = None
    jurisdiction: OptionalText64 = None
    consent: Consent = None

    def fact_of(self, hashed: dict[str, Any]) -> Deposit:
        return Deposit(**hashed | {"amount": self.amount.to_money()})


class ChargebackIn(EventIn):
    """A deposit was refunded or charged back, or a refund of it failed, or a chargeback was won."""

    deposit_id: Id = Field(description="The deposit; it may be reported later than this event")
    kind: TakeBack = Field(
        description="`refund_failed` undoes a refund, `chargeback_won` a chargeback"
    )
    amount: PositiveMoneyIn | None = Field(
        default=None,
        description="Of this event alone, never a running total; left out, it is the whole deposit",
    )
    dispute_id: Id | None = Field(
        default=None,
        description="The dispute or refund that this event is about: events with the same one are"
        " one matter, in which the latest amount of each kind counts. Without it, each event counts"
        " by itself",
    )

    def fact_of(self, hashed: dict[str, Any]) -> Chargeback:
        amount = self.amount.to_money() if self.amount else None
        return Chargeback(**hashed | {"amount": amount})


class WagerIn(EventIn):
    """A settled bet."""

    stake: PositiveMoneyIn

    def fact_of(self, hashed: dict[str, Any]) -> Wager:
        return Wager(**hashed | {"stake": self.stake.to_money()})


class WithdrawalIn(EventIn):
    """A completed withdrawal. `payment_instrument` is stored only as a keyed hash."""

    withdrawal_id: Id = Field(description="The payments service's id of the withdrawal")
    amount: PositiveMoneyIn
    payment_instrument: OptionalText320 = Field(
        default=None, description="The processor's fingerprint of the card or account paid to"
    )

    def fact_of(self, hashed: dict[str, Any]) -> Withdrawal:
        return Withdrawal(**hashed | {"amount": self.amount.to_money()})


class StatusChangeIn(EventIn):
    """A change of the player's status at the sportsbook.

    `restored` ends both a self-exclusion and a closure that happened before it.
    """

    status: PlayerStatus

    def fact_of(self, hashed: dict[str, Any]) -> StatusChange:
        return StatusChange(**hashed)
