"""Payment orders: what a wallet is asked to move for a reward, and how much of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.derived_ids import derived_id
from domain.ledger.movements import Movement, transfer_id
from domain.money import Money


class Direction(StrEnum):
    CREDIT = "credit"
    DEBIT = "debit"


class OrderKind(StrEnum):
    """The act that a payment order is a part of."""

    REWARD = "reward"
    REVERSAL = "reversal"
    REINSTATEMENT = "reinstatement"

    @property
    def direction(self) -> Direction:
        return Direction.DEBIT if self is OrderKind.REVERSAL else Direction.CREDIT

    @property
    def allows_partial(self) -> bool:
        """True where the wallet may post less than the amount, even nothing."""
        return self.direction is Direction.DEBIT


class OrderStatus(StrEnum):
    """Result of a payment order; PENDING ones are sent until the wallet's answer is certain."""

    PENDING = "pending"
    POSTED = "posted"
    REFUSED = "refused"
    CANCELLED = "cancelled"


MOVEMENT_OF_KIND: Final = {
    OrderKind.REWARD: Movement.RELEASE,
    OrderKind.REVERSAL: Movement.OWE,
    OrderKind.REINSTATEMENT: Movement.REINSTATE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerMoney:
    """A player's balances in one currency, and what earlier orders will still recover of them."""

    available_minor: int
    owed_minor: int
    """The debt, as a positive number."""
    reserved_minor: int = 0
    """The part of the debt that posted credits went net of and that is not booked yet."""


def order_id(reward_id: UUID, kind: OrderKind, *, cycle: int, attempt: int) -> UUID:
    """Derive an order's id, which is its reference at the wallet.

    The first attempt has the id of its transfer; one after a refusal is another order.
    """
    if attempt == 1:
        return transfer_id(reward_id, MOVEMENT_OF_KIND[kind], cycle=cycle)
    return derived_id(reward_id, "payment", kind, str(cycle), str(attempt))


def amount_to_send(kind: OrderKind, gross: Money, money: PlayerMoney) -> Money:
    """Return what the wallet is asked to move; zero where there is nothing to ask.

    A credit goes net of what is owed. A debit takes no more than is owed, nor more than the ledger
    says was ever put into the wallet.
    """
    owed_minor = max(0, money.owed_minor - money.reserved_minor)
    if kind.direction is Direction.CREDIT:
        return Money(gross.minor - min(gross.minor, owed_minor), gross.currency)
    return Money(min(gross.minor, owed_minor, max(0, money.available_minor)), gross.currency)
