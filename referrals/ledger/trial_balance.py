"""All the money there is, summed up by kind of account: together it is nothing."""

from dataclasses import dataclass

from sqlalchemy import func, select

from db.engine import ReadSession
from db.tables import AccountRow, Entry
from domain.ledger.movements import Book


@dataclass(frozen=True, slots=True)
class BookSum:
    """Minor units in all accounts of one book and currency; negative where money came from."""

    book: Book
    currency: str
    minor: int


async def by_book(session: ReadSession) -> tuple[BookSum, ...]:
    rows = await session.execute(
        select(AccountRow.book, Entry.currency, func.sum(Entry.amount_minor).label("minor"))
        .join(AccountRow, AccountRow.id == Entry.account_id)
        .group_by(AccountRow.book, Entry.currency)
        .order_by(Entry.currency, func.sum(Entry.amount_minor))
    )
    return tuple(BookSum(row.book, row.currency, int(row.minor)) for row in rows)
