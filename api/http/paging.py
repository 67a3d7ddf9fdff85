"""Pages of lists: an opaque cursor says where the next one starts."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Final, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from api.http.errors import Problem, invalid
from db.paging import Place, Wanted

T = TypeVar("T")
LONGEST_CURSOR: Final = 200

Limit = Annotated[int, Query(ge=1, le=200, description="How many items at most")]
Cursor = Annotated[
    str | None,
    Query(max_length=LONGEST_CURSOR, description="`next_cursor` of the page before"),
]


class PageOut(BaseModel, Generic[T]):
    """Some of a list; `next_cursor` is null on the last page."""

    items: list[T]
    next_cursor: str | None


def wanted(limit: Limit = 50, cursor: Cursor = None) -> Wanted:
    return Wanted(limit, place_of(cursor) if cursor is not None else None)


Part = Annotated[Wanted, Depends(wanted)]


def cursor_of(place: Place | None) -> str | None:
    return encoded(f"{place.at.isoformat()}|{place.id}") if place else None


def place_of(cursor: str) -> Place:
    at, _, id_ = decoded(cursor).partition("|")
    try:
        moment, number = datetime.fromisoformat(at), UUID(id_)
        moment.timestamp()
    except (ValueError, OverflowError) as fault:
        raise _bad() from fault
    if moment.tzinfo is None:
        raise _bad()
    return Place(moment, number)


def line_of(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    number = decoded(cursor)
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise _bad()
    return int(number)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decoded(cursor: str) -> str:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error) as fault:
        raise _bad() from fault


def _bad() -> Problem:
    return invalid("cursor", "This is not a cursor that a page ended with")
