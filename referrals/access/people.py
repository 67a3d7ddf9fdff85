"""People who act on the service, stored once whatever door they come through."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from db.engine import Session
from db.tables import PersonRow
from domain.people import name_error, person_id_of, person_of

__all__ = ["ensure_person", "name_error"]


async def ensure_person(session: Session, name: str) -> UUID:
    """Return the id of the person of this name, who is added if new; spellings do not differ."""
    person_id = person_id_of(name)
    values = {"id": person_id, "person": person_of(name), "name": name.strip()}
    await session.execute(insert(PersonRow).values(values).on_conflict_do_nothing())
    return person_id
