"""Tables of the console: filters and pages in the address, and the same rows as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request
from starlette.datastructures import QueryParams
from starlette.responses import Response

from api.console.formats import NOTHING, BonusBets
from api.http.errors import invalid_field
from api.http.tables import harmless
from domain.money import write_amount

PAGE_ROWS: Final = 25
CSV_ROWS: Final = 1000
"""Rows of a CSV; one with more to come is named incomplete, and has `X-Next-Cursor`."""


@dataclass(frozen=True, slots=True)
class ShortId:
    """An id of which a page shows the beginning; a CSV has all of it."""

    id: UUID

    def __str__(self) -> str:
        return str(self.id)[:8]


@dataclass(frozen=True, slots=True)
class Linked:
    """A cell that leads to a page of its own; a CSV has its text alone."""

    text: str
    href: str

    def __str__(self) -> str:
        return self.text


class Kind(StrEnum):
    """The way in which a column's values are shown."""

    TEXT = "text"
    ID = "id"
    NUMBER = "number"
    MONEY = "money"
    TIME = "time"
    WORD = "word"
    BADGE = "badge"


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Row:
    """The values of a row, and where its first cell leads; a cell of its own may lead elsewhere."""

    cells: Sequence[object]
    href: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A field above a table, which the address carries."""

    name: str
    label: str
    value: str
    choices: Sequence[str] = ()
    """Values of a list to choose from; without any, it is free text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one page, with the addresses of the next page and of the CSV."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    empty: str
    """Sentence in place of rows, where there are none."""
    filters: Sequence[Filter] = ()
    next_address: str | None = None
    first_address: str | None = None
    csv_address: str | None = None


def wants_csv(request: Request) -> bool:
    return request.query_params.get("format") == "csv"


def row_limit(request: Request) -> int:
    return CSV_ROWS if wants_csv(request) else PAGE_ROWS


def chosen(request: Request, name: str, choices: Iterable[str]) -> str | None:
    """Return a filter's value; 422 for one that is not a choice, since all would be shown."""
    value, known = request.query_params.get(name, "").strip(), list(choices)
    if value and value not in known:
        raise invalid_field(name, f"Must be one of {', '.join(known)}")
    return value or None


def typed(request: Request, name: str) -> str | None:
    """Return what was typed, or None for nothing; 422 for what nothing could be found by."""
    value = request.query_params.get(name, "").strip()
    if not value.isprintable() or len(value) > MAX_TYPED_CHARS:
        raise invalid_field(name, f"Must have at most {MAX_TYPED_CHARS} printable characters")
    return value or None


MAX_TYPED_CHARS: Final = 200
_OWN_PARAMETERS: Final = ("cursor", "format", "done")
"""Parameters of every table's page: its place, its format, and what was done before it."""


def address(request: Request, **changes: str | None) -> str:
    """Return the address of this page with other parameters; None leaves one out."""
    asked: QueryParams = request.query_params
    kept = {name: value for name, value in asked.items() if value and name != "done"} | changes
    query = urlencode({name: value for name, value in kept.items() if value is not None})
    return f"{request.url.path}?{query}" if query else request.url.path


def paged_table(
    request: Request,
    *,
    name: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    empty: str,
    filters: Sequence[Filter] = (),
    next_cursor: str | None = None,
) -> Table:
    """Return a table whose page and filters the address of the request carries.

    422 for a parameter that is no filter of the table, or is given twice: all would be shown.
    """
    _refuse_others(request, (*(each.name for each in filters), *_OWN_PARAMETERS))
    is_later = "cursor" in request.query_params
    return Table(
        name=name,
        columns=columns,
        rows=rows,
        empty=empty,
        filters=filters,
        next_address=address(request, cursor=next_cursor, format=None) if next_cursor else None,
        first_address=address(request, cursor=None, format=None) if is_later else None,
        csv_address=address(request, format="csv"),
    )


def _refuse_others(request: Request, known: Sequence[str]) -> None:
    asked = [name for name, _ in request.query_params.multi_items()]
    for name in asked:
        if name not in known:
            raise invalid_field(name[:MAX_TYPED_CHARS], f"Must be one of {', '.join(known)}")
        if asked.count(name) > 1:
            raise invalid_field(name, "Must not appear twice")


def csv_answer(table: Table, *, next_cursor: str | None = None) -> Response:
    """Return the rows as CSV in which no cell is a formula."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(column.label for column in table.columns)
    writer.writerows([_plain(cell) for cell in row.cells] for row in table.rows)
    name = f"{table.name}-incomplete" if next_cursor else table.name
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    if next_cursor:
        headers["X-Next-Cursor"] = next_cursor
    return Response(file.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _plain(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool | int | float):
        return str(cell)
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat()
    if isinstance(cell, list | tuple):
        return " + ".join(_plain(one) for one in cell)
    if hasattr(cell, "minor") and hasattr(cell, "currency"):
        amount = write_amount(cell)
        return f"{amount} in bonus bets" if isinstance(cell, BonusBets) else amount
    text = cell.id if isinstance(cell, ShortId) else cell
    return str(harmless("" if text == NOTHING else str(text)))
