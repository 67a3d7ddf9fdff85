"""Keyset pagination by time and id: pages stay correct while rows are added."""

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
class Position:
    """Position of the last row on a page, from which the next page goes on in its order."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: Sequence[T]
    next_position: Position | None

    def map(self, shown: Callable[[Sequence[T]], Sequence[S]]) -> "Page[S]":
        return Page(shown(self.items), self.next_position)


@dataclass(frozen=True, slots=True)
class PageRequest:
    limit: int
    after: Position | None = None


def given_conditions(
    *filters: tuple[object | None, ColumnElement[bool]],
) -> list[ColumnElement[bool]]:
    """Return the conditions of the filters that have a value."""
    return [condition for value, condition in filters if value is not None]


def newest_first(
    query: Select[Any],
    page_request: PageRequest,
    *,
    at: InstrumentedAttribute[datetime],
    id_: InstrumentedAttribute[UUID],
) -> Select[Any]:
    """Order and limit the query, with one row more than the page to see whether another follows."""
    if page_request.after is not None:
        after = tuple_(page_request.after.at, page_request.after.id)
        earlier: ColumnElement[bool] = tuple_(at, id_) < after
        query = query.where(earlier)
    return query.order_by(at.desc(), id_.desc()).limit(page_request.limit + 1)


def oldest_first(
    query: Select[Any],
    page_request: PageRequest,
    *,
    at: InstrumentedAttribute[datetime],
    id_: InstrumentedAttribute[UUID],
) -> Select[Any]:
    """Order and limit the query as `newest_first` does, the other way round."""
    if page_request.after is not None:
        after = tuple_(page_request.after.at, page_request.after.id)
        later: ColumnElement[bool] = tuple_(at, id_) > after
        query = query.where(later)
    return query.order_by(at, id_).limit(page_request.limit + 1)


def cut_page(
    rows: Sequence[T], page_request: PageRequest, position_of: Callable[[T], Position]
) -> Page[T]:
    shown = rows[: page_request.limit]
    has_more = len(rows) > page_request.limit
    return Page(shown, position_of(shown[-1]) if has_more else None)
