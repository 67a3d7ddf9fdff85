"""Faults of the database: which exceptions they are, and which of them pass by themselves."""

import re
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

DATABASE_FAULTS: Final = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
)
# Connection, resources, operator, lock and serialization: none is the caller's fault.
_TRANSIENT_SQLSTATES: Final = re.compile(r"08|53|57|55|40")


def is_transient(fault: Exception) -> bool:
    """Whether the same statements may succeed later, because Postgres was away or busy."""
    if isinstance(fault, (OSError, PoolTimeoutError, asyncpg.InterfaceError)):
        return True
    if isinstance(fault, DBAPIError) and fault.connection_invalidated:
        return True
    cause = fault.orig if isinstance(fault, DBAPIError) else fault
    return _TRANSIENT_SQLSTATES.match(getattr(cause, "sqlstate", None) or "") is not None


def is_schema_fault(fault: Exception) -> bool:
    """Whether a statement named what the schema does not have: it is not migrated yet."""
    return isinstance(fault, ProgrammingError)
