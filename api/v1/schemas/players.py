"""What players see of themselves: balances, statements, and how their invitations go."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from api.v1.schemas.fields import Line, MoneyOut, PositiveMoneyIn, RequestBody, ResponseBody
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
"""Why a referral stands where it does, saying nothing about the friend: neither what is suspected
of them, nor whether they excluded themselves, nor what became of their money."""


class InvitedOut(ResponseBody):
    invited_at: datetime
    stage: Stage
    reason: str
    until: datetime | None
    """Until when a postponed reward is waited for."""


class BalanceOut(ResponseBody):
    """Amounts per currency, only those that are not zero."""

    player_id: str
    available: list[MoneyOut]
    held: list[MoneyOut]
    owed: list[MoneyOut]


class SpendIn(RequestBody):
    amount: PositiveMoneyIn
    reference: Line


class LineOut(ResponseBody):
    account: Book
    movement: Movement
    amount: MoneyOut
    direction: Literal["in", "out"]
    balance_after: MoneyOut
    reward_id: UUID | None
    referral_id: UUID | None
    reference: str | None
    at: datetime
