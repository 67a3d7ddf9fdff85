"""Database faults: their exceptions, which of them are transient, and faults' names for logs."""

import re
from enum import Enum
from typing import Final

import asyncpg
from pydantic import ValidationError
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


def describe(fault: BaseException) -> str:
    """Return a fault's type and what caused it, without texts: those may quote what is stored."""
    name = type(fault).__name__
    if isinstance(fault, ValidationError):
        errors = fault.errors(include_url=False, include_context=False, include_input=False)
        places = sorted({".".join(map(str, error["loc"])) for error in errors} - {""})
        return f"{name} at {', '.join(places)}" if places else name
    if isinstance(cause := getattr(fault, "orig", None), BaseException):
        return f"{name}: {type(cause).__name__}"
    # Temporal's and Kafka's faults have a code beside their text.
    if isinstance(status := getattr(fault, "status", None), Enum):
        return f"{name}: {status.name}"
    if fault.args and callable(code := getattr(fault.args[0], "name", None)):
        return f"{name}: {code()}"
    return f"{name}: {fault.strerror}" if isinstance(fault, OSError) and fault.strerror else name
