"""Writers of the outbox for tests: events of made-up referrals, in transactions of their own."""

from uuid import UUID, uuid4

from db import outbox
from db.engine import Database, Session


async def write(session: Session, key: str, type_: str = "ReferralInvited") -> UUID:
    event_id = uuid4()
    payload = {"event_id": str(event_id), "type": type_, "note": "Größe \u20ac"}
    await outbox.write_event(session, event_id=event_id, type_=type_, key=key, payload=payload)
    return event_id


async def write_one(database: Database, key: str | None = None) -> UUID:
    async with database.transaction() as session:
        return await write(session, key or str(uuid4()))
