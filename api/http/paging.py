"""Pages of lists: query parameters, answers and opaque cursors."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from api.http.errors import Problem, invalid_field
from db.paging import Page, PageRequest, Position

T = TypeVar("T")
Body = TypeVar("Body", bound=BaseModel)
MAX_CURSOR_CHARS: Final = 200
"""More than any cursor of ours has."""
MAX_LINE_DIGITS: Final = 18
"""As many digits as always fit a bigint."""

Limit = Annotated[int, Query(ge=1, le=200, description="Maximum number of items")]
Cursor = Annotated[
    str | None,
    Query(max_length=MAX_CURSOR_CHARS, description="`next_cursor` of the previous page"),
]


class PageOut(BaseModel, Generic[T]):
    """One page of a list; `next_cursor` is null on the last page."""

    items: list[T]
    next_cursor: str | None


def page_query(limit: Limit = 50, cursor: Cursor = None) -> PageRequest:
    return PageRequest(limit, decode_position(cursor) if cursor is not None else None)


PageQuery = Annotated[PageRequest, Depends(page_query)]


def page_out(body: type[Body], page: Page[Any]) -> PageOut[Body]:
    """Return a page of views as response bodies, which read the views' attributes."""
    items = [body.model_validate(view) for view in page.items]
    return PageOut(items=items, next_cursor=encode_position(page.next_position))


def encode_position(position: Position | None) -> str | None:
    return encode_cursor(f"{position.at.isoformat()}|{position.id}") if position else None


def decode_position(cursor: str) -> Position:
    at, id_ = decode_time_and_key(cursor)
    try:
        return Position(at, UUID(id_))
    except ValueError as fault:
        raise invalid_cursor() from fault


def decode_time_and_key(cursor: str) -> tuple[datetime, str]:
    """Return a cursor's time, which the database can compare, and what stands behind it."""
    time, _, key = decode_cursor(cursor).partition("|")
    try:
        at = datetime.fromisoformat(time)
        if at.tzinfo is None:
            raise invalid_cursor()
        return at.astimezone(UTC), key
    except (ValueError, OverflowError) as fault:
        raise invalid_cursor() from fault


def decode_line_number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    number = decode_cursor(cursor)
    if not (number.isascii() and number.isdigit() and len(number) <= MAX_LINE_DIGITS):
        raise invalid_cursor()
    return int(number)


def encode_cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error) as fault:
        raise invalid_cursor() from fault
    if not text.isprintable():
        raise invalid_cursor()
    return text


def invalid_cursor() -> Problem:
    return invalid_field("cursor", "Must be the `next_cursor` of a page")
