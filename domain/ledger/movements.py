"""The movements of reward money: which books each moves its amount between."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

from domain.money import Money, RewardKind


class Movement(StrEnum):
    FUND = "fund"
    DEFUND = "defund"
    HOLD = "hold"
    RELEASE = "release"
    VOID = "void"
    REVERSE = "reverse"
    OWE = "owe"
    RECOVER = "recover"
    REINSTATE = "reinstate"
    FORGIVE = "forgive"
    SPEND = "spend"
    UNSPEND = "unspend"


class Book(StrEnum):
    """Kinds of account: `funding` has no owner, CAMPAIGN_BOOKS a campaign, the others a player."""

    FUNDING = "funding"
    CAMPAIGN = "campaign"
    RECOVERABLE = "recoverable"
    HELD = "held"
    AVAILABLE = "available"
    OWED = "owed"
    SPENT = "spent"


CAMPAIGN_BOOKS: Final = frozenset({Book.CAMPAIGN, Book.RECOVERABLE})
MAY_BE_NEGATIVE: Final = frozenset({Book.FUNDING, Book.OWED})
DERIVED_BALANCE_BOOKS: Final = frozenset({Book.FUNDING, Book.SPENT})
"""Books without a stored balance: no rule needs one, and acts would queue for its row."""

ARROWS: Final[dict[Movement, tuple[tuple[Book, Book], ...]]] = {
    Movement.FUND: ((Book.FUNDING, Book.CAMPAIGN),),
    Movement.DEFUND: ((Book.CAMPAIGN, Book.FUNDING),),
    Movement.HOLD: ((Book.CAMPAIGN, Book.HELD),),
    Movement.RELEASE: ((Book.HELD, Book.AVAILABLE),),
    Movement.VOID: ((Book.HELD, Book.CAMPAIGN),),
    Movement.REVERSE: ((Book.AVAILABLE, Book.CAMPAIGN),),
    Movement.OWE: ((Book.OWED, Book.RECOVERABLE),),
    Movement.RECOVER: ((Book.AVAILABLE, Book.OWED), (Book.RECOVERABLE, Book.CAMPAIGN)),
    Movement.REINSTATE: ((Book.CAMPAIGN, Book.AVAILABLE),),
    # The part of a reinstated reward that its player still owes: it clears the debt and adds no
    # money. The recoverable amount is moved first, so that it needs no budget.
    Movement.FORGIVE: ((Book.RECOVERABLE, Book.CAMPAIGN), (Book.CAMPAIGN, Book.OWED)),
    Movement.SPEND: ((Book.AVAILABLE, Book.SPENT),),
    Movement.UNSPEND: ((Book.SPENT, Book.AVAILABLE),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of one book in one currency; its id is derived from book, owner and currency."""

    book: Book
    currency: str
    campaign_id: UUID | None = None
    player_id: str | None = None
    kind: RewardKind = RewardKind.CASH
    """Kind of a player's balance; those of campaigns have none of their own."""

    @property
    def id(self) -> UUID:
        owner = self.campaign_id or self.player_id or ""
        name = f"account:{self.book}:{owner}:{self.currency}"
        return uuid5(NAMESPACE_OID, name if self.kind is RewardKind.CASH else f"{name}:{self.kind}")


def account_for(
    book: Book,
    currency: str,
    *,
    campaign_id: UUID | None,
    player_id: str | None,
    kind: RewardKind = RewardKind.CASH,
) -> Account:
    if book is Book.FUNDING:
        return Account(book=book, currency=currency)
    if book in CAMPAIGN_BOOKS:
        if campaign_id is None:
            raise ValueError(f"an account of {book} belongs to a campaign")
        return Account(book=book, currency=currency, campaign_id=campaign_id)
    if player_id is None:
        raise ValueError(f"an account of {book} belongs to a player")
    return Account(book=book, currency=currency, player_id=player_id, kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """An immutable movement of one amount; each of its arrows moves the whole amount."""

    id: UUID
    movement: Movement
    amount: Money
    campaign_id: UUID | None = None
    player_id: str | None = None
    kind: RewardKind = RewardKind.CASH
    """Kind of the player's balances that it moves: that of its reward."""
    reward_id: UUID | None = None
    referral_id: UUID | None = None
    resolves_hold_id: UUID | None = None
    reference: str | None = None
    """The payment order by which the wallet moved the same money."""

    @property
    def arrows(self) -> tuple[tuple[Account, Account], ...]:
        return tuple((self._account(source), self._account(to)) for source, to in self._route)

    @property
    def _route(self) -> tuple[tuple[Book, Book], ...]:
        return ARROWS[self.movement]

    def _account(self, book: Book) -> Account:
        return account_for(
            book,
            self.amount.currency,
            campaign_id=self.campaign_id,
            player_id=self.player_id,
            kind=self.kind,
        )


def transfer_id(reward_id: UUID, movement: Movement, *, cycle: int = 0) -> UUID:
    """Derive a transfer's id, so that a retry posts nothing twice.

    `cycle` is the number of reversals so far: a reward may be reversed and reinstated repeatedly.
    """
    return uuid5(reward_id, f"{movement}:{cycle}")


@dataclass(frozen=True, slots=True)
class Split:
    """An amount in two parts: one moves the available balance, the other a debt."""

    available: Money
    owed: Money


def split_reversal(amount: Money, *, available_minor: int) -> Split:
    """Take back what is available; the rest was spent and is owed."""
    available = min(amount.minor, max(0, available_minor))
    owed = amount.minor - available
    return Split(Money(available, amount.currency), Money(owed, amount.currency))


def split_reinstatement(amount: Money, *, owed_minor: int) -> Split:
    """Clear what is still owed of this reward first; the rest becomes available."""
    owed = min(amount.minor, max(0, owed_minor))
    available = amount.minor - owed
    return Split(Money(available, amount.currency), Money(owed, amount.currency))
