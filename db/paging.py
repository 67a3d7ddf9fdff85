"""Pages of a list, newest first, that stay right while rows are added."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Place:
    """The last row that was seen: what follows is older, or as old with a smaller id."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: Sequence[T]
    next_position: Place | None

    def map(self, shown: Callable[[Sequence[T]], Sequence[S]]) -> "Page[S]":
        return Page(shown(self.items), self.next_position)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list to read."""

    limit: int
    after: Place | None = None


def newest_first(
    query: Select[Any],
    wanted: PageRequest,
    *,
    at: InstrumentedAttribute[datetime],
    id_: InstrumentedAttribute[UUID],
) -> Select[Any]:
    """One row more than the page holds, which tells whether another follows."""
    if wanted.after is not None:
        earlier: ColumnElement[bool] = tuple_(at, id_) < tuple_(wanted.after.at, wanted.after.id)
        query = query.where(earlier)
    return query.order_by(at.desc(), id_.desc()).limit(wanted.limit + 1)


def page(rows: Sequence[T], wanted: PageRequest, place: Callable[[T], Place]) -> Page[T]:
    shown = rows[: wanted.limit]
    more = len(rows) > wanted.limit
    return Page(shown, place(shown[-1]) if more else None)
