"""What players have, and every movement that made it so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import AccountRow, Entry, TransferRow
from domain.ledger.movements import Book, Movement
from domain.money import Money

SHOWN: Final = (Book.AVAILABLE, Book.HELD, Book.OWED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Only what is not zero; a debt is told as a positive amount."""

    player_id: str
    available: tuple[Money, ...]
    held: tuple[Money, ...]
    owed: tuple[Money, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One end of a movement, in one of the player's accounts."""

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


async def of_player(session: ReadSession, player_id: str) -> Balance:
    rows = await session.scalars(
        select(AccountRow)
        .where(AccountRow.player_id == player_id, AccountRow.balance_minor != 0)
        .order_by(AccountRow.currency)
    )
    amounts: dict[Book, list[Money]] = {book: [] for book in Book}
    for row in rows:
        amounts[row.book].append(Money(abs(row.balance_minor), row.currency))
    return Balance(
        player_id=player_id,
        available=tuple(amounts[Book.AVAILABLE]),
        held=tuple(amounts[Book.HELD]),
        owed=tuple(amounts[Book.OWED]),
    )


async def statement(
    session: ReadSession, player_id: str, book: Book, *, before: int | None, limit: int
) -> Sequence[Line]:
    """The newest lines of a player's accounts of one book, those before the line `before`."""
    query = (
        select(Entry, TransferRow)
        .join(AccountRow, AccountRow.id == Entry.account_id)
        .join(TransferRow, TransferRow.id == Entry.transfer_id)
        .where(AccountRow.player_id == player_id, AccountRow.book == book)
        .order_by(Entry.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Entry.id < before)
    return [_line(entry, transfer, book) for entry, transfer in await session.execute(query)]


def _line(entry: Entry, transfer: TransferRow, book: Book) -> Line:
    return Line(
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
