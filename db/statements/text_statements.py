"""Statements of text on the driver: without SQLAlchemy's machinery, in a third of the time.

Transactions, prepared statements and faults stay SQLAlchemy's: what it raises, invalidates and
reports is the same on both ways.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NoReturn, cast

from sqlalchemy import Executable, Result, Select, TextClause, text
from sqlalchemy.dialects.postgresql import psycopg2
from sqlalchemy.dialects.postgresql.asyncpg import PGExecutionContext_asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.engine import Connection, ExecutionContext
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.util import greenlet_spawn

_DIALECT: Final = asyncpg_dialect()  # type: ignore[no-untyped-call]
_NAMED: Final = psycopg2.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
_PARAMETER: Final = re.compile(r":(\w+)")
_MAX_COMPILED: Final = 1024
_EXECUTION_EVENTS: Final = (
    "before_execute",
    "after_execute",
    "before_cursor_execute",
    "after_cursor_execute",
)
Parameters = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    names: tuple[str, ...]
    """Parameters in the order of their numbers."""
    processors: Mapping[str, Callable[[Any], Any]]
    """Processors of the parameters that have a type."""

    def arguments(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        if not self.processors:
            return tuple([parameters[name] for name in self.names])
        return tuple([self._processed(name, parameters[name]) for name in self.names])

    def _processed(self, name: str, value: Any) -> Any:  # noqa: ANN401 - any parameter
        processor = self.processors.get(name)
        return value if processor is None else processor(value)


class TextResult(IteratorResult[Any]):
    """Rows of a statement of text, and the number of those that it wrote."""

    def __init__(
        self, metadata: SimpleResultMetaData, rows: Sequence[tuple[Any, ...]], *, rowcount: int
    ) -> None:
        super().__init__(metadata, iter(rows))
        self.rowcount = rowcount
        """Rows that were written, or read."""


class _Context:
    """Context of a failed statement, as far as SQLAlchemy asks about it."""

    executemany = False
    handle_dbapi_exception = PGExecutionContext_asyncpg.handle_dbapi_exception

    def __init__(self, connection: Connection) -> None:
        self.dialect = connection.dialect


def text_of(query: Select[Any]) -> TextClause:
    """Return a query that SQLAlchemy has composed as text, which the driver executes.

    Words of an enumeration come back as strings. Values of the query itself, which never change,
    become part of the text; its other parameters are the caller's.
    """
    compiled = query.compile(dialect=_NAMED)
    own = {
        name: compiled.render_literal_value(value, compiled.binds[name].type).replace(":", r"\:")
        for name, value in compiled.params.items()
        if value is not None
    }
    return text(_PARAMETER.sub(lambda found: own.get(found[1], found[0]), str(compiled)))


def is_for_driver(statement: Executable, connection: Connection) -> bool:
    """Return whether a statement is plain text, and nobody watches what SQLAlchemy executes."""
    return (
        type(statement) is TextClause
        and not statement.get_execution_options()
        and not _is_watched(connection)
    )


def _is_watched(connection: Connection) -> bool:
    # An engine with options listens to its own connections, to set these: that watches nothing.
    if not (connection._has_events or connection.engine._has_events):  # noqa: SLF001
        return False
    return any(
        bool(getattr(dispatch, name))
        for dispatch in (connection.dispatch, connection.engine.dispatch)
        for name in _EXECUTION_EVENTS
    )


async def execute(
    connection: Connection, statement: TextClause, parameters: Parameters
) -> Result[Any]:
    """Execute a statement in the connection's transaction, begun here if it has none."""
    compiled = _compile(statement)
    arguments = compiled.arguments(parameters or {})
    cursor = connection.connection.cursor()
    cursor._invalidate_schema_cache_asof = connection.dialect._invalidate_schema_cache_asof  # type: ignore[attr-defined]  # noqa: SLF001
    try:
        await cursor._prepare_and_execute(compiled.sql, arguments)  # noqa: SLF001
    except BaseException as fault:  # noqa: BLE001 - SQLAlchemy raises it, or its own
        await greenlet_spawn(_fail, connection, fault, compiled.sql, arguments)
    names = [column[0] for column in cursor.description or ()]
    rows = [tuple(row) for row in cursor._rows]  # noqa: SLF001
    return TextResult(SimpleResultMetaData(names), rows, rowcount=cursor.rowcount)


def _fail(
    connection: Connection, fault: BaseException, sql: str, arguments: tuple[Any, ...]
) -> NoReturn:
    """Raise a statement's fault as SQLAlchemy does, with all that follows for the connection."""
    try:
        raise fault  # noqa: TRY301 - where SQLAlchemy looks for it
    except BaseException as raised:  # noqa: BLE001 - re-raised there
        context = cast("ExecutionContext", _Context(connection))
        connection._handle_dbapi_exception(raised, sql, arguments, None, context)  # noqa: SLF001


@lru_cache(maxsize=_MAX_COMPILED)
def _compile(statement: TextClause) -> _Compiled:
    compiled = statement.compile(dialect=_DIALECT)
    names = tuple(compiled.positiontup or ())
    typed = {name: compiled.binds[name].type.dialect_impl(_DIALECT) for name in names}
    processors = {name: kind.bind_processor(_DIALECT) for name, kind in typed.items()}
    return _Compiled(
        sql=str(compiled),
        names=names,
        processors={name: made for name, made in processors.items() if made is not None},
    )
