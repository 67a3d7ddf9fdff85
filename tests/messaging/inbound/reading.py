"""Queries of what a consumer left in Postgres and in headers."""

from sqlalchemy import func, select

from db.engine import Database
from db.tables import FactRow, InboxRow
from messaging.records import Record
from tests.messaging.stream import Stream


async def stored(database: Database, stream: Stream) -> int:
    query = select(func.count()).where(FactRow.reported_by.startswith(stream.prefix))
    async with database.reading() as session:
        return int(await session.scalar(query) or 0)


async def waiting_in_the_inbox(database: Database, stream: Stream) -> int:
    """Return how often facts of these topics were put into the inbox."""
    query = (
        select(func.count())
        .select_from(InboxRow)
        .join(FactRow, (FactRow.kind == InboxRow.kind) & (FactRow.event_id == InboxRow.event_id))
        .where(FactRow.reported_by.startswith(stream.prefix))
    )
    async with database.reading() as session:
        return int(await session.scalar(query) or 0)


def header(record: Record, name: str) -> str:
    (value,) = (value for key, value in record.headers if key == name)
    assert value is not None
    return value.decode()
