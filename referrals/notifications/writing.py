"""Notifications as they are written: once per event, player and kind, under derived ids."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import insert

from db.engine import Session
from db.tables import NotificationRow
from domain.derived_ids import derived_id
from domain.notifications.messages import Message

_MESSAGE: Final = TypeAdapter(Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotification:
    """A message and what caused it: an outbox event, or a reminder under a derived id."""

    event_id: UUID
    referral_id: UUID
    message: Message
    caused_at: datetime

    @property
    def id(self) -> UUID:
        return derived_id(self.event_id, self.message.player_id, self.message.kind)


async def write_notifications(session: Session, new: Iterable[NewNotification]) -> None:
    """Write notifications that are due at once, in their order; known ones stay as they are."""
    values = [_values(notification) for notification in new]
    if values:
        await session.execute(insert(NotificationRow).values(values).on_conflict_do_nothing())


def message_from(stored: dict[str, Any]) -> Message:
    """Return a stored message; raise ValueError for one of a later release."""
    return _MESSAGE.validate_python(stored)


def _values(new: NewNotification) -> dict[str, Any]:
    return {
        "id": new.id,
        "event_id": new.event_id,
        "referral_id": new.referral_id,
        "player_id": new.message.player_id,
        "kind": new.message.kind,
        "message": _MESSAGE.dump_python(new.message, mode="json", exclude_defaults=True),
        "caused_at": new.caused_at,
    }
