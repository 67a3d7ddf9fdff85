"""Preferences of players about notifications, changed in part and read for many at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import time, tzinfo
from typing import Any, Final, TypedDict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.engine import ReadSession, Session
from db.tables import NotificationRow, PlayerPreferences
from domain.notifications.quiet_hours import QuietHours
from domain.notifications.sending import DEFAULT_ZONE, NotificationStatus, Preferences


class PreferenceChanges(TypedDict, total=False):
    """Columns to change; those left out keep their values, and None is the default again."""

    locale: str | None
    time_zone: str | None
    wants_messages: bool
    quiet_from: time | None
    quiet_to: time | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencesView:
    """A player's preferences as they were set; None is the default."""

    player_id: str
    locale: str | None = None
    time_zone: str | None = None
    wants_messages: bool = True
    quiet_hours: QuietHours | None = None


_CHANGED_AT: Final = {"changed_at": func.now()}


async def change_preferences(
    session: Session, player_id: str, changes: PreferenceChanges
) -> PreferencesView:
    """Change some preferences, look again at what waits for the old ones, and return all."""
    values: dict[str, Any] = {**changes, **_CHANGED_AT}
    await session.execute(
        insert(PlayerPreferences)
        .values(player_id=player_id, **values)
        .on_conflict_do_update(index_elements=["player_id"], set_=values)
    )
    await session.execute(
        update(NotificationRow)
        .where(
            NotificationRow.player_id == player_id,
            NotificationRow.status == NotificationStatus.PENDING,
            NotificationRow.due_at > func.now(),
        )
        .values(due_at=func.now())
    )
    return await find_preferences(session, player_id)


async def find_preferences(session: ReadSession, player_id: str) -> PreferencesView:
    """Return a player's preferences; all are the defaults for one who has set none."""
    query = select(PlayerPreferences).where(PlayerPreferences.player_id == player_id)
    row = await session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        return PreferencesView(player_id=player_id)
    return PreferencesView(
        player_id=player_id,
        locale=row.locale,
        time_zone=row.time_zone,
        wants_messages=row.wants_messages,
        quiet_hours=_quiet_hours(row),
    )


async def preferences_of_players(
    session: ReadSession, player_ids: Collection[str]
) -> dict[str, Preferences]:
    """Return the preferences of those players who have set some."""
    query = select(PlayerPreferences).where(PlayerPreferences.player_id.in_(player_ids))
    return {
        row.player_id: Preferences(
            locale=row.locale,
            time_zone=zone_of(row.time_zone),
            wants_messages=row.wants_messages,
            quiet_hours=_quiet_hours(row),
        )
        for row in await session.scalars(query)
    }


def zone_of(name: str | None) -> tzinfo:
    """Return a time zone by its name; the default one where this machine knows no such name."""
    try:
        return ZoneInfo(name) if name else DEFAULT_ZONE
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return DEFAULT_ZONE


def _quiet_hours(row: PlayerPreferences) -> QuietHours | None:
    if row.quiet_from is None or row.quiet_to is None:
        return None
    return QuietHours(row.quiet_from, row.quiet_to)
