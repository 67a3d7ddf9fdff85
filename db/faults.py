"""Database faults: their exceptions, and which of them are transient."""

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
# Classes of connection, resource, operator, lock and serialization faults: not the caller's.
_TRANSIENT_SQLSTATES: Final = re.compile(r"08|53|57|55|40")

# Data exceptions. A broken constraint is not one: it may be the schema that is behind.
_REFUSED_VALUE_SQLSTATES: Final = re.compile(r"22")
_READ_ONLY_SQLSTATE: Final = "25006"


def is_transient(fault: Exception) -> bool:
    """Return whether the same statements may succeed later: Postgres was away or busy."""
    if isinstance(fault, (OSError, PoolTimeoutError, asyncpg.InterfaceError)):
        return True
    if isinstance(fault, DBAPIError) and fault.connection_invalidated:
        return True
    cause = fault.orig if isinstance(fault, DBAPIError) else fault
    return _TRANSIENT_SQLSTATES.match(getattr(cause, "sqlstate", None) or "") is not None


def is_refused_value(fault: Exception) -> bool:
    """Return whether a statement failed because of the values that it was given."""
    cause = fault.orig if isinstance(fault, DBAPIError) else fault
    return _REFUSED_VALUE_SQLSTATES.match(getattr(cause, "sqlstate", None) or "") is not None


def is_schema_fault(fault: Exception) -> bool:
    """Return whether a statement failed because the schema is not migrated yet."""
    return isinstance(fault, ProgrammingError)


def is_read_only(fault: Exception) -> bool:
    """Return whether a statement failed because the database is a standby, which only reads."""
    cause = fault.orig if isinstance(fault, DBAPIError) else fault
    return getattr(cause, "sqlstate", None) == _READ_ONLY_SQLSTATE
