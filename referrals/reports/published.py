"""Events as they were published, read from the outbox in pages for the warehouse."""

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from db.engine import Database

PAGE: Final = 5_000
"""Events of one statement, which a timeout bounds."""
_PAGE: Final = text("""
    select id, payload from outbox
     where id > :after and aggregatetype = 'referral' order by id limit :limit
""")


async def published_events(database: Database) -> AsyncIterator[list[dict[str, Any]]]:
    """Read every event in pages, in the order of their ids; each page is a transaction."""
    after = UUID(int=0)
    while True:
        async with database.reading() as session:
            rows = (await session.execute(_PAGE, {"after": after, "limit": PAGE})).all()
        if not rows:
            return
        yield [row.payload for row in rows]
        after = rows[-1].id
