"""Pages of lists: an opaque cursor says where the next one starts."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Final, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from api.http.errors import Problem, invalid
from db.paging import PageRequest, Position

T = TypeVar("T")
MAX_CURSOR_CHARS: Final = 200

Limit = Annotated[int, Query(ge=1, le=200, description="How many items at most")]
Cursor = Annotated[
    str | None,
    Query(max_length=MAX_CURSOR_CHARS, description="`next_cursor` of the page before"),
]


class PageOut(BaseModel, Generic[T]):
    """Some of a list; `next_cursor` is null on the last page."""

    items: list[T]
    next_cursor: str | None


def wanted(limit: Limit = 50, cursor: Cursor = None) -> PageRequest:
    return PageRequest(limit, place_of(cursor) if cursor is not None else None)


PageQuery = Annotated[PageRequest, Depends(wanted)]


def encode_position(place: Position | None) -> str | None:
    return encoded(f"{place.at.isoformat()}|{place.id}") if place else None


def place_of(cursor: str) -> Position:
    at, _, id_ = decode_cursor(cursor).partition("|")
    try:
        moment, number = datetime.fromisoformat(at), UUID(id_)
        moment.timestamp()
    except (ValueError, OverflowError) as fault:
        raise _invalid_cursor() from fault
    if moment.tzinfo is None:
        raise _invalid_cursor()
    return Position(moment, number)


def decode_line_number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    number = decode_cursor(cursor)
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise _invalid_cursor()
    return int(number)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error) as fault:
        raise _invalid_cursor() from fault


def _invalid_cursor() -> Problem:
    return invalid("cursor", "This is not a cursor that a page ended with")
