"""What people did, and why: written in the transaction of the act."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert

from db.engine import Session
from db.tables import AuditRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, in which request, and the reason they gave."""

    name: str
    request_id: str | None
    reason: str


async def write(
    session: Session, actor: Actor, *, action: str, subject: str, details: dict[str, Any]
) -> int:
    """The number of the act, unique among all acts."""
    statement = insert(AuditRow).values(
        actor=actor.name,
        action=action,
        subject=subject,
        reason=actor.reason,
        request_id=actor.request_id,
        details=details,
    )
    written: int = (await session.execute(statement.returning(AuditRow.id))).scalar_one()
    return written
