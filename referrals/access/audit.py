"""The audit: who did what and why, written in the transaction that does it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert

from db.engine import Session
from db.tables import AuditRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The person who acts, the request, and the reason given."""

    name: str
    request_id: str | None
    reason: str


async def write(
    session: Session, actor: Actor, *, action: str, subject: str, details: dict[str, Any]
) -> int:
    """Write an audit row and return its id."""
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
