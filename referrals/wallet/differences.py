"""Differences that a reconciliation names: their kinds, and what each means."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID


class DifferenceKind(StrEnum):
    """Kinds of differences; `text` is the sentence for people."""

    MISSING_IN_WALLET = "missing_in_wallet"
    UNKNOWN_HERE = "unknown_here"
    NOT_RECORDED = "not_recorded"
    AMOUNT_DIFFERS = "amount_differs"
    PLAYER_DIFFERS = "player_differs"
    DIRECTION_DIFFERS = "direction_differs"
    LISTED_TWICE = "listed_twice"
    NOT_BOOKED = "not_booked"
    LEDGER_DIFFERS = "ledger_differs"
    REWARD_DIFFERS = "reward_differs"
    CREDIT_WITHOUT_ORDER = "credit_without_order"

    @property
    def text(self) -> str:
        return _TEXTS[self]


_TEXTS: Final = {
    DifferenceKind.MISSING_IN_WALLET: "posted here, and the wallet does not know it",
    DifferenceKind.UNKNOWN_HERE: "posted by the wallet, and no order of ours",
    DifferenceKind.NOT_RECORDED: "posted by the wallet, and refused or cancelled here",
    DifferenceKind.AMOUNT_DIFFERS: "the wallet posted another amount",
    DifferenceKind.PLAYER_DIFFERS: "the wallet posted it to another player",
    DifferenceKind.DIRECTION_DIFFERS: "the wallet posted it in the other direction",
    DifferenceKind.LISTED_TWICE: "the wallet lists the reference more than once",
    DifferenceKind.NOT_BOOKED: "posted by the wallet, and the ledger has not booked it",
    DifferenceKind.LEDGER_DIFFERS: "the ledger booked another amount than the wallet posted",
    DifferenceKind.REWARD_DIFFERS: "the order was booked, and its reward does not show it",
    DifferenceKind.CREDIT_WITHOUT_ORDER: "credited in the ledger without a payment order",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    kind: DifferenceKind
    reference: str
    """The order's reference, or the id of a transfer that has none."""
    at: datetime
    order_id: UUID | None = None
    age: timedelta = timedelta()
    is_repaired: bool = False
