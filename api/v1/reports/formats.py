"""Formats of a report: JSON as its model has it, or a table as CSV or Parquet."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from fastapi import Query, Response
from pydantic import BaseModel

from api.http.openapi import problem_responses
from api.http.tables import CSV_TYPE, PARQUET_TYPE, csv_response, parquet_response

Report = TypeVar("Report", bound=BaseModel)


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


FormatQuery = Annotated[
    Format, Query(alias="format", description="Parquet needs the extra `warehouse`")
]
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The report; CSV and Parquet have a column for each field, amounts in minor"
        " units with a column for each currency",
        "content": {
            CSV_TYPE: {"schema": {"type": "string"}},
            PARQUET_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    },
    **problem_responses("unknown_campaign", "report_too_large", "format_unavailable"),
}


def answer(
    report: Report,
    form: Format,
    *,
    name: str,
    rows: Sequence[BaseModel] | None = None,
    columns: Sequence[str] = (),
    left_out: AbstractSet[str] = frozenset(),
) -> Report | Response:
    """Return a report in its format; without `rows` it is a table of one row."""
    if form is Format.JSON:
        return report
    shown = [report] if rows is None else rows
    table = [
        each.model_dump(mode="json", exclude=set(left_out), exclude_unset=True) for each in shown
    ]
    columns = columns or list(table[0])
    render = csv_response if form is Format.CSV else parquet_response
    return render(table, columns=columns, name=name)
