"""Rows that statements of text read and write, as objects of a session.

A session's own queries and flushes cost several times what the statement does. What is read here
is like what the session has read; what is written here, the session does not write again.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Any, Final, TypeVar

from sqlalchemy import Enum, Row, inspect
from sqlalchemy.orm import InstanceState, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from db.engine import ReadSession
from db.tables.base import Table

Stored = TypeVar("Stored", bound=Table)
_MAX_TABLES: Final = 128


def stored(session: ReadSession, table: type[Stored], read: Row[Any]) -> Stored:
    """Return a row that has all columns of its table as the session's own.

    One that the session has already is brought up to date. The session forgets a row that nobody
    refers to.
    """
    columns = _columns(table)
    values = columns.values_of(read)
    known: Stored | None = session.sync_session.identity_map.get(columns.identity_of(values))
    if known is not None:
        for name, value in values.items():
            set_committed_value(known, name, value)
        return known
    row = table(**values)
    make_transient_to_detached(row)
    session.add(row)
    return row


def find_known(session: ReadSession, table: type[Stored], id_: object) -> Stored | None:
    """Return a row that the session has, without a look into the database."""
    key = _columns(table).identity_of({"id": id_})
    known: Stored | None = session.sync_session.identity_map.get(key)
    return known


def mark_written(session: ReadSession, row: Table, names: Collection[str]) -> None:
    """Mark columns of a row as written: a flush writes those of the others that have changed."""
    state: InstanceState[Any] = inspect(row)
    state._commit(state.dict, names)  # noqa: SLF001 - what a flush does, too
    if not state.committed_state:
        state._commit_all(state.dict, session.sync_session.identity_map)  # noqa: SLF001


async def flush(session: ReadSession) -> None:
    """Write what has changed, without the cost of a flush where nothing has."""
    if session.dirty or session.new or session.deleted:
        await session.flush()


class _Columns:
    """Columns of a table, and the words of those that hold one."""

    def __init__(self, table: type[Table]) -> None:
        self._mapper = inspect(table)
        columns = self._mapper.columns.items()
        self._names = {name: column.name for name, column in columns}
        self._words = {
            name: column.type.enum_class
            for name, column in columns
            if isinstance(column.type, Enum) and column.type.enum_class
        }
        self._keys = tuple(
            self._mapper.get_property_by_column(column).key for column in self._mapper.primary_key
        )

    def values_of(self, read: Row[Any]) -> dict[str, Any]:
        found = read._asdict()
        values = {name: found[column] for name, column in self._names.items()}
        for name, word in self._words.items():
            if values[name] is not None:
                values[name] = word(values[name])
        return values

    def identity_of(self, values: dict[str, Any]) -> Any:  # noqa: ANN401 - SQLAlchemy's key
        return self._mapper.identity_key_from_primary_key(tuple(values[key] for key in self._keys))


@lru_cache(maxsize=_MAX_TABLES)
def _columns(table: type[Table]) -> _Columns:
    return _Columns(table)
