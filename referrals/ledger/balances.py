"""Balances of players, books and accounts, and the statement lines behind them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select

from db.engine import ReadSession
from db.tables import CAMPAIGN_BUDGETS, AccountRow, Entry, TransferRow
from domain.ledger.movements import DERIVED_BALANCE_BOOKS, Account, Book, Movement
from domain.money import Money, RewardKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerBalance:
    """One player's balances that are not zero; a debt is a positive amount."""

    player_id: str
    available: tuple[Money, ...]
    held: tuple[Money, ...]
    owed: tuple[Money, ...]
    bonus: "BonusBalance"


@dataclass(frozen=True, slots=True, kw_only=True)
class BonusBalance:
    """One player's balances of bonus bets, which are not the player's cash."""

    available: tuple[Money, ...]
    held: tuple[Money, ...]
    owed: tuple[Money, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One entry in one of the player's accounts; `direction` is "in" or "out"."""

    line: int
    account: Book
    movement: Movement
    amount: Money
    direction: str
    balance_after: Money
    reward_id: UUID | None
    referral_id: UUID | None
    reference: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class BookSum:
    """Minor units in all accounts of one book and currency; negative where money came from."""

    book: Book
    currency: str
    minor: int


async def load_player_balance(session: ReadSession, player_id: str) -> PlayerBalance:
    rows = await session.scalars(
        select(AccountRow)
        .where(
            or_(AccountRow.player_id == player_id, AccountRow.bonus_player_id == player_id),
            AccountRow.balance_minor != 0,
        )
        .order_by(AccountRow.currency)
    )
    amounts: dict[tuple[bool, Book], tuple[Money, ...]] = defaultdict(tuple)
    for row in rows:
        amounts[row.player_id is None, row.book] += (Money(abs(row.balance_minor), row.currency),)
    return PlayerBalance(
        player_id=player_id,
        available=amounts[False, Book.AVAILABLE],
        held=amounts[False, Book.HELD],
        owed=amounts[False, Book.OWED],
        bonus=BonusBalance(
            available=amounts[True, Book.AVAILABLE],
            held=amounts[True, Book.HELD],
            owed=amounts[True, Book.OWED],
        ),
    )


async def load_statement(
    session: ReadSession,
    player_id: str,
    book: Book,
    *,
    before: int | None,
    limit: int,
    kind: RewardKind = RewardKind.CASH,
) -> Sequence[StatementLine]:
    """Return the newest lines in a player's accounts of a book and kind, older than `before`."""
    is_cash = kind is RewardKind.CASH
    owner = AccountRow.player_id if is_cash else AccountRow.bonus_player_id
    query = (
        select(Entry, TransferRow)
        .join(AccountRow, AccountRow.id == Entry.account_id)
        .join(TransferRow, TransferRow.id == Entry.transfer_id)
        .where(owner == player_id, AccountRow.book == book)
        .order_by(Entry.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Entry.id < before)
    return [_line(entry, transfer, book) for entry, transfer in await session.execute(query)]


async def balance_minor(session: ReadSession, account: Account) -> int:
    """Return the minor units in an account, zero for one that does not exist yet."""
    if account.book in DERIVED_BALANCE_BOOKS:
        query = select(func.coalesce(func.sum(Entry.amount_minor), 0)).where(
            Entry.account_id == account.id
        )
    elif account.book is Book.CAMPAIGN:
        budgets = CAMPAIGN_BUDGETS.c
        query = select(budgets.free_minor).where(budgets.account_id == account.id)
    else:
        query = select(AccountRow.balance_minor).where(AccountRow.id == account.id)
    return int(await session.scalar(query) or 0)


async def sums_by_book(session: ReadSession) -> tuple[BookSum, ...]:
    """Return the trial balance: the sums of each currency add up to zero."""
    rows = await session.execute(
        select(AccountRow.book, Entry.currency, func.sum(Entry.amount_minor).label("minor"))
        .join(AccountRow, AccountRow.id == Entry.account_id)
        .group_by(AccountRow.book, Entry.currency)
        .order_by(Entry.currency, func.sum(Entry.amount_minor))
    )
    return tuple(BookSum(row.book, row.currency, int(row.minor)) for row in rows)


def _line(entry: Entry, transfer: TransferRow, book: Book) -> StatementLine:
    return StatementLine(
        line=entry.id,
        account=book,
        movement=transfer.movement,
        amount=Money(abs(entry.amount_minor), entry.currency),
        direction="in" if entry.amount_minor > 0 else "out",
        balance_after=Money(abs(entry.balance_after_minor or 0), entry.currency),
        reward_id=transfer.reward_id,
        referral_id=transfer.referral_id,
        reference=transfer.reference,
        at=transfer.at,
    )
