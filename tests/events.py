"""Events that tests have caused, read from the outbox and held to their published schema."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select

from db import outbox
from db.engine import Database
from db.outbox_reader import Cursor, Position
from db.tables import OutboxRow
from messaging.events import EVENTS, EventOut, Published
from messaging.player_messages import Notification

EVENT_BY_TYPE: Final[Mapping[str, type[EventOut]]] = {event.__name__: event for event in EVENTS}
MODELS: Final[Mapping[str, Mapping[str, type[Published]]]] = {
    outbox.AGGREGATE: EVENT_BY_TYPE,
    outbox.NOTIFICATIONS: {outbox.NOTIFICATION_TYPE: Notification},
}


async def events_of(database: Database, key: str | UUID) -> Sequence[EventOut]:
    """Return the events of a referral, code, campaign or webhook, in the order of their writing."""
    query = select(OutboxRow).where(OutboxRow.aggregateid == str(key)).order_by(OutboxRow.seq)
    async with database.reading() as session:
        return [parse(row) for row in await session.scalars(query)]


async def undeclared_events(database: Database) -> Sequence[str]:
    """Return what differs from the published schemas, of all that tests have written."""
    async with database.reading() as session:
        return [fault for row in await session.scalars(select(OutboxRow)) if (fault := _fault(row))]


def parse(row: OutboxRow) -> EventOut:
    """Return an event; AssertionError where it differs from the schema in any field."""
    assert _fault(row) is None
    return EVENT_BY_TYPE[row.type].model_validate(row.payload)


def _fault(row: OutboxRow) -> str | None:
    model = MODELS[row.aggregatetype].get(row.type)
    if model is None:
        return f"no schema of {row.type} in {row.aggregatetype}"
    if different := set(row.payload) ^ set(model.model_fields):
        return f"{row.type} differs in {sorted(different)}"
    try:
        event = model.model_validate(row.payload)
    except ValidationError as fault:
        return f"{row.type}: {fault}"
    id_ = event.event_id if isinstance(event, EventOut) else row.id
    return None if id_ == row.id else f"{row.type} has another id than its row"


def moved(cursor: Cursor, to: Position) -> Cursor:
    """Return the cursor behind an event, for reading ahead of what is stored."""
    return Cursor(tuple(to if each.epoch == to.epoch else each for each in cursor.positions))
