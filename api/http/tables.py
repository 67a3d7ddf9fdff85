"""Reports as tables: rows of JSON flattened into columns, and written as CSV or Parquet."""

import csv
import io
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final

from starlette.responses import Response

from api.http.errors import Problem

RUNNABLE_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
"""Beginnings of a text that a spreadsheet runs as a formula, the full-width ones among them."""
CSV_TYPE: Final = "text/csv; charset=utf-8"
PARQUET_TYPE: Final = "application/vnd.apache.parquet"

Cell = str | int | float | bool | None
Row = Mapping[str, Any]


def csv_response(rows: Sequence[Row], *, columns: Sequence[str], name: str) -> Response:
    """Return the rows as CSV with a header; `'` precedes a text that a spreadsheet would run."""
    header, flat = _flattened(rows, columns)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(header)
    writer.writerows([harmless(row.get(column)) for column in header] for row in flat)
    return _download(written.getvalue().encode(), CSV_TYPE, f"{name}.csv")


def parquet_response(rows: Sequence[Row], *, columns: Sequence[str], name: str) -> Response:
    """Return the rows as Parquet. 501 `format_unavailable` without the extra `warehouse`."""
    if find_spec("pyarrow") is None:
        raise Problem("format_unavailable")
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import parquet  # noqa: PLC0415

    header, flat = _flattened(rows, columns)
    table = pa.table({column: [row.get(column) for row in flat] for column in header})
    written = io.BytesIO()
    parquet.write_table(table, written)
    return _download(written.getvalue(), PARQUET_TYPE, f"{name}.parquet")


def _flattened(
    rows: Sequence[Row], columns: Sequence[str]
) -> tuple[list[str], list[dict[str, Cell]]]:
    """Return the columns, and the rows with an amount of money as a number for each currency."""
    flat: list[dict[str, Cell]] = []
    header: dict[str, None] = {}
    for row in rows:
        cells: dict[str, Cell] = {}
        for name, value in row.items():
            cells |= _cells(name, value)
        flat.append(cells)
    for column in columns:
        found = sorted({cell for row in flat for cell in row if _is_of(cell, column)})
        header |= dict.fromkeys(found or [column])
    return list(header), flat


def _cells(name: str, value: object) -> dict[str, Cell]:
    if isinstance(value, dict):
        return {f"{name}_minor": value["minor"], f"{name}_currency": value["currency"]}
    if isinstance(value, list):
        return {f"{name}_minor_{each['currency']}": each["minor"] for each in value}
    assert value is None or isinstance(value, Cell)  # noqa: S101 - the models have no other values
    return {name: value}


def _is_of(cell: str, column: str) -> bool:
    return cell == column or cell.startswith((f"{column}_minor", f"{column}_currency"))


def harmless(cell: Cell) -> Cell:
    """Return a cell that a spreadsheet shows as text, with `'` before what it would run."""
    if isinstance(cell, str) and cell.lstrip(" \u00a0\u3000").startswith(RUNNABLE_STARTS):
        return f"'{cell}"
    return cell


def _download(content: bytes, media_type: str, filename: str) -> Response:
    disposition = f'attachment; filename="{filename}"'
    return Response(content, media_type=media_type, headers={"Content-Disposition": disposition})
