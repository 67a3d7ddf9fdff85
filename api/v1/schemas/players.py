"""Bodies of /v1/players: a player's invitations, balances, spending and statement."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import Field

from api.v1.schemas.fields import MoneyOut, PositiveMoneyIn, RequestBody, ResponseBody, Text64
from domain.ledger.movements import Book, Movement
from domain.lifecycle.referral import Stage

PLAYER_FACING_REASONS: Final = {
    Stage.INVITED: "waiting for signup",
    Stage.SIGNED_UP: "waiting for a first deposit",
    Stage.HELD: "under review",
    Stage.DEFERRED: "postponed until the campaign can pay",
    Stage.REWARDED: "credited",
    Stage.SETTLED: "credited",
    Stage.EXPIRED: "not completed in time",
    Stage.LOST: "not eligible",
    Stage.REJECTED: "not eligible",
    Stage.UNFUNDED: "the campaign has ended",
    Stage.VOIDED: "not eligible",
    Stage.REVERSED: "taken back",
}
"""Reasons that a referrer may read. They reveal nothing about the referee: neither suspicion, nor
self-exclusion, nor what became of their deposit."""
IN_HOLD_PERIOD: Final = "waiting for the hold period to end"
"""Reason of a held reward that waits for nothing else."""
BEING_CREDITED: Final = "being credited"
"""Reason of a held reward that waits for the wallet's answer alone."""


class InvitedOut(ResponseBody):
    """One of a referrer's invitations, without anything that identifies the referee."""

    invited_at: datetime
    stage: Stage
    reason: str = Field(description="Where the invitation stands, in words to show the player")
    until: datetime | None = Field(
        description="When a postponed reward is tried again or the hold period ends; else null"
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


class SpendIn(RequestBody):
    """An amount that a player spends from the in-app balance."""

    amount: PositiveMoneyIn
    reference: Text64 = Field(
        description="Idempotency key: an amount is spent once per player and reference"
    )


class UnspendIn(RequestBody):
    """A spend that is given back, in part or all, such as for a voided bet."""

    reference: Text64 = Field(description="The reference of the spend")
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
