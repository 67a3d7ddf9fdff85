"""Views of listed values, with how many referrals each has hit."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, true

from db import paging
from db.engine import ReadSession
from db.paging import Page, PageRequest, Position, given_conditions
from db.tables import ListEntryRow, ListHitRow
from domain.fraud.lists import ListedKind, ListName


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntryView:
    entry_id: UUID
    list_name: ListName
    kind: ListedKind
    value: str
    """The keyed hash of a personal value."""
    reason: str
    added_by: str
    added_at: datetime
    expires_at: datetime | None
    hits: int
    last_hit_at: datetime | None


async def list_entries(
    session: ReadSession,
    list_name: ListName,
    part: PageRequest,
    *,
    kind: ListedKind | None = None,
    values: Collection[str] | None = None,
) -> Page[ListEntryView]:
    """Return a page of a list's entries, newest first; expired ones stay until removed."""
    wanted = given_conditions(
        (kind, ListEntryRow.kind == kind), (values, ListEntryRow.value.in_(values or ()))
    )
    query = _entries().where(ListEntryRow.list_name == list_name, *wanted)
    query = paging.newest_first(query, part, at=ListEntryRow.added_at, id_=ListEntryRow.id)
    rows = (await session.execute(query)).all()
    page = paging.cut_page(rows, part, lambda row: Position(row[0].added_at, row[0].id))
    return page.map(lambda items: [_view(row) for row in items])


async def find_entry(session: ReadSession, entry_id: UUID) -> ListEntryView | None:
    row = (await session.execute(_entries().where(ListEntryRow.id == entry_id))).one_or_none()
    return _view(row) if row is not None else None


def _entries() -> Select[Any]:
    hits = (
        select(func.count().label("hits"), func.max(ListHitRow.hit_at).label("last_hit_at"))
        .where(ListHitRow.entry_id == ListEntryRow.id)
        .lateral("counted")
    )
    return (
        select(ListEntryRow, hits.c.hits, hits.c.last_hit_at)
        .join(hits, true())
        .where(ListEntryRow.removed_at.is_(None))
    )


def _view(row: Any) -> ListEntryView:  # noqa: ANN401 - the row of three columns
    entry, hits, last_hit_at = row
    return ListEntryView(
        entry_id=entry.id,
        list_name=entry.list_name,
        kind=entry.kind,
        value=entry.value,
        reason=entry.reason,
        added_by=entry.added_by,
        added_at=entry.added_at,
        expires_at=entry.expires_at,
        hits=hits,
        last_hit_at=last_hit_at,
    )
