"""Bodies of /v1/players: a player's invitations, balances, spending and statement."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal, Self
from uuid import UUID

from pydantic import Field

from api.v1.schemas.fields import (
    MoneyOut,
    PositiveMoneyIn,
    Reason,
    Reference,
    RequestBody,
    ResponseBody,
)
from domain.campaigns.limits.decision import LimitOf
from domain.campaigns.limits.periods import Per
from domain.campaigns.limits.thresholds import Thresholds
from domain.ledger.movements import Book, Movement
from domain.lifecycle.referral import Stage
from domain.money import Money, clamp_sum
from referrals.campaigns.limits import Allowance
from referrals.campaigns.tax_years import TaxYear


class PlayerFacingReason(StrEnum):
    """A reason that a referrer may read, as a stable word; `text` is its sentence for people.

    It reveals nothing about the referee: neither suspicion, nor self-exclusion, nor what became of
    their deposit.
    """

    NO_SIGNUP_YET = "no_signup_yet"
    NO_DEPOSIT_YET = "no_deposit_yet"
    HOLD_PERIOD = "hold_period"
    UNDER_REVIEW = "under_review"
    FUNDS = "funds"
    LIMIT = "limit"
    TAX_FORM = "tax_form"
    BEING_CREDITED = "being_credited"
    CREDITED = "credited"
    NOT_IN_TIME = "not_in_time"
    NOT_ELIGIBLE = "not_eligible"
    CAMPAIGN_ENDED = "campaign_ended"
    TAKEN_BACK = "taken_back"

    @property
    def text(self) -> str:
        return _TEXTS[self]


_TEXTS: Final = {
    PlayerFacingReason.NO_SIGNUP_YET: "waiting for signup",
    PlayerFacingReason.NO_DEPOSIT_YET: "waiting for a first deposit",
    PlayerFacingReason.HOLD_PERIOD: "waiting for the hold period to end",
    PlayerFacingReason.UNDER_REVIEW: "under review",
    PlayerFacingReason.FUNDS: "postponed until the campaign can pay",
    PlayerFacingReason.LIMIT: "postponed, because the campaign's limit is reached",
    PlayerFacingReason.TAX_FORM: "postponed until a tax form is received",
    PlayerFacingReason.BEING_CREDITED: "being credited",
    PlayerFacingReason.CREDITED: "credited",
    PlayerFacingReason.NOT_IN_TIME: "not completed in time",
    PlayerFacingReason.NOT_ELIGIBLE: "not eligible",
    PlayerFacingReason.CAMPAIGN_ENDED: "the campaign has ended",
    PlayerFacingReason.TAKEN_BACK: "taken back",
}
PLAYER_FACING_REASONS: Final = {
    Stage.INVITED: PlayerFacingReason.NO_SIGNUP_YET,
    Stage.SIGNED_UP: PlayerFacingReason.NO_DEPOSIT_YET,
    Stage.HELD: PlayerFacingReason.UNDER_REVIEW,
    Stage.DEFERRED: PlayerFacingReason.FUNDS,
    Stage.REWARDED: PlayerFacingReason.CREDITED,
    Stage.SETTLED: PlayerFacingReason.CREDITED,
    Stage.EXPIRED: PlayerFacingReason.NOT_IN_TIME,
    Stage.LOST: PlayerFacingReason.NOT_ELIGIBLE,
    Stage.REJECTED: PlayerFacingReason.NOT_ELIGIBLE,
    Stage.UNFUNDED: PlayerFacingReason.CAMPAIGN_ENDED,
    Stage.VOIDED: PlayerFacingReason.NOT_ELIGIBLE,
    Stage.REVERSED: PlayerFacingReason.TAKEN_BACK,
}
"""Reasons by stage; a held reward that waits for nothing but its hold period, or for the wallet's
answer, has a reason of its own."""


class InvitedOut(ResponseBody):
    """One of a referrer's invitations, without anything that identifies the referee."""

    invited_at: datetime
    stage: Stage
    reason: str = Field(description="Where the invitation stands, in words to show the player")
    reason_code: PlayerFacingReason = Field(description="The reason as a stable word")
    until: datetime | None = Field(
        description="When a postponed reward is tried again or the hold period ends; else null"
    )


class EmbedTokenOut(ResponseBody):
    """A token that opens a player's own page, and the page's address with it."""

    token: str = Field(description="Opens the page of this player alone")
    url: str = Field(description="Address of the page, with the token in its query")
    expires_at: datetime = Field(description="Until when the page can be opened")


class BonusBalanceOut(ResponseBody):
    """A player's balances of bonus bets; zero amounts are left out."""

    available: list[MoneyOut] = Field(description="What the player may bet, and not withdraw")
    held: list[MoneyOut] = Field(description="Bonus bets that are not credited yet")
    owed: list[MoneyOut] = Field(
        description="Bonus bets that were taken back after they were used, as positive amounts"
    )


class BalanceOut(ResponseBody):
    """A player's balances, one amount per currency; zero amounts are left out."""

    player_id: str
    available: list[MoneyOut] = Field(description="What the player may spend")
    held: list[MoneyOut] = Field(description="Rewards that are not credited yet")
    owed: list[MoneyOut] = Field(
        description="Debts from rewards that were taken back after they were spent, as positive"
        " amounts"
    )
    bonus: BonusBalanceOut = Field(description="Balances of bonus bets, apart from the cash")


class AllowedRewards(ResponseBody):
    """Rewards that a limit allows in its period: all of them, those used, and those left."""

    limit: int
    used: int = Field(description="Held ones included")
    left: int


class AllowedAmount(ResponseBody):
    """Amount that a limit allows in its period: all of it, what is used, and what is left."""

    limit: MoneyOut
    used: MoneyOut = Field(description="Held rewards included")
    left: MoneyOut


class AllowanceOut(ResponseBody):
    """A limit of a campaign's live terms, as it stands for one referrer."""

    of: LimitOf
    per: Per
    until: datetime | None = Field(
        description="First instant of the next period, or the campaign's end; null for none"
    )
    rewards: AllowedRewards | None = Field(description="Null where it limits the amount alone")
    amount: AllowedAmount | None = Field(description="Null where it limits the number alone")

    @classmethod
    def of_allowance(cls, allowance: Allowance) -> Self:
        limit, used = allowance.limit, allowance.used
        return cls(
            of=limit.of,
            per=limit.per,
            until=allowance.until,
            rewards=_allowed_rewards(limit.rewards, used.rewards) if limit.rewards else None,
            amount=_allowed_amount(limit.amount, used.minor) if limit.amount else None,
        )


class AllowancesOut(ResponseBody):
    """The limits of a campaign for one referrer, in the order of the terms."""

    items: list[AllowanceOut]


class SpendIn(RequestBody):
    """An amount that a player spends from the in-app balance."""

    amount: PositiveMoneyIn
    reference: Reference = Field(
        description="Idempotency key: an amount is spent once per player and reference"
    )


class UnspendIn(RequestBody):
    """A spend that is given back, in part or all, such as for a voided bet."""

    reference: Reference = Field(description="The reference of the spend")
    amount: PositiveMoneyIn | None = Field(
        default=None,
        description="Given back once per reference and amount; all that is left when left out",
    )


class LineOut(ResponseBody):
    """One ledger line of a player's account."""

    account: Book
    movement: Movement
    amount: MoneyOut
    direction: Literal["in", "out"]
    balance_after: MoneyOut
    reward_id: UUID | None
    referral_id: UUID | None
    reference: str | None
    at: datetime


def _allowed_rewards(limit: int, used: int) -> AllowedRewards:
    return AllowedRewards(limit=limit, used=used, left=max(0, limit - used))


def _allowed_amount(limit: Money, used_minor: int) -> AllowedAmount:
    used = clamp_sum(used_minor, limit.currency)
    left = Money(max(0, limit.minor - used_minor), limit.currency)
    return AllowedAmount.model_validate({"limit": limit, "used": used, "left": left})


class TaxReleaseIn(RequestBody):
    """The reason for which a player may be credited beyond the threshold."""

    reason: Reason = Field(
        description="Why, for the audit, such as the form that was received",
        examples=["W-9 received"],
    )


class TaxYearOut(ResponseBody):
    """The present tax year of a player."""

    player_id: str
    begins_on: date = Field(description="Its first day, in UTC", examples=["2026-01-01"])
    until: datetime = Field(description="First instant of the next one")
    totals: list[MoneyOut] = Field(
        description="Rewards of the year over all campaigns, held ones included, by currency"
    )
    thresholds: list[MoneyOut] = Field(
        description="Totals beyond which rewards wait for a release; empty where none is set"
    )
    released_at: datetime | None = Field(description="Null where nobody released it")
    released_by: str | None = Field(description="Who released it; null for nobody")

    @classmethod
    def of(cls, player_id: str, found: TaxYear, thresholds: Thresholds) -> Self:
        return cls(
            player_id=player_id,
            begins_on=found.begins_on,
            until=found.until,
            totals=[MoneyOut.model_validate(money) for money in found.totals],
            thresholds=[MoneyOut.model_validate(money) for money in thresholds.values()],
            released_at=found.released_at,
            released_by=found.released_by,
        )
