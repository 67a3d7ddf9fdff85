"""Database faults: their exceptions, which of them are transient, and faults' names for logs."""

import re
from enum import Enum
from pathlib import Path
from traceback import extract_tb
from typing import Final

import asyncpg
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, PendingRollbackError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

DATABASE_FAULTS: Final = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
_TRANSIENT_SQLSTATES: Final = re.compile(
    "08|28|3D|53|55|57|58"  # the server cannot be reached, entered, or has no resources
    "|40"  # another transaction was in the way
    "|25006"  # a standby, or a primary that became one
    "|25P0[34]"  # a transaction that took too long
    "|26"  # a prepared statement of a session that is gone
    "|72"  # a snapshot that the server has let go of
    "|XX000"  # an internal fault, as poolers and proxies also answer for a server that is away
)
"""Classes and codes of faults that are the server's: the same statements may succeed later."""
_TRANSIENT_FAULTS: Final = (
    OSError,
    PoolTimeoutError,
    # A statement that follows one whose connection broke.
    PendingRollbackError,
    asyncpg.InterfaceError,
    # The types that the client knows are those before a migration.
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.InternalClientError,
)

# Data exceptions. A broken constraint is not one: it may be the schema that is behind.
_REFUSED_VALUE_SQLSTATES: Final = re.compile(r"22")
# A deadlock or another conflict of transactions, and a lock that was not to be had in time.
_CONFLICT_SQLSTATES: Final = re.compile(r"40|55P03")
_READ_ONLY_SQLSTATE: Final = "25006"
_LOST_STATEMENT_SQLSTATE: Final = "26000"
_CANCELED_SQLSTATE: Final = "57014"
_OTHERS: Final = "site-packages"
"""Folder of the libraries' code."""


class QuotableError(Exception):
    """A fault whose text quotes nothing that is stored or sent, so that logs may show it."""


def is_transient(fault: BaseException) -> bool:
    """Return whether the same statements may succeed later: Postgres was away, busy or changed.

    Every door and loop asks this function alone.
    """
    if isinstance(fault, DBAPIError) and fault.connection_invalidated:
        return True
    causes = (fault, *_causes(fault))
    if any(isinstance(cause, _TRANSIENT_FAULTS) for cause in causes):
        return True
    return any(_TRANSIENT_SQLSTATES.match(_sqlstate(cause)) for cause in causes)


def _causes(fault: BaseException) -> tuple[BaseException, ...]:
    """Return what the driver raised: asyncpg's exception is the cause of SQLAlchemy's."""
    orig = fault.orig if isinstance(fault, DBAPIError) else None
    return tuple(cause for cause in (orig, getattr(orig, "__cause__", None)) if cause is not None)


def _sqlstate(fault: BaseException) -> str:
    return getattr(fault, "sqlstate", None) or ""


def is_stale_session(fault: BaseException) -> bool:
    """Return whether a session has lost its prepared statements, so that it must be replaced."""
    return any(_sqlstate(f) == _LOST_STATEMENT_SQLSTATE for f in (fault, *_causes(fault)))


def is_refused_value(fault: Exception) -> bool:
    """Return whether a statement failed because of the values that it was given."""
    cause = fault.orig if isinstance(fault, DBAPIError) else fault
    return _REFUSED_VALUE_SQLSTATES.match(getattr(cause, "sqlstate", None) or "") is not None


def is_conflict(fault: Exception) -> bool:
    """Return whether another transaction was in a statement's way: a deadlock, a lock it held."""
    causes = (fault, *_causes(fault))
    return any(_CONFLICT_SQLSTATES.match(_sqlstate(cause)) for cause in causes)


def is_schema_fault(fault: Exception) -> bool:
    """Return whether a statement failed because the schema is not migrated yet."""
    return isinstance(fault, ProgrammingError)


def is_read_only(fault: BaseException) -> bool:
    """Return whether a statement failed because the database is a standby, which only reads."""
    return any(_sqlstate(cause) == _READ_ONLY_SQLSTATE for cause in (fault, *_causes(fault)))


def is_statement_timeout(fault: BaseException) -> bool:
    """Return whether Postgres ended a statement that took longer than `statement_timeout`."""
    return any(_sqlstate(cause) == _CANCELED_SQLSTATE for cause in (fault, *_causes(fault)))


def locate(fault: BaseException) -> str:
    """Return our file and line that a fault came out of, such as `events.py:42`."""
    frames = extract_tb(fault.__traceback__)
    ours = [frame for frame in frames if _OTHERS not in Path(frame.filename).parts] or frames
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""


def describe(fault: BaseException) -> str:
    """Return a fault's type and what caused it, without texts: those may quote what is stored."""
    name = type(fault).__name__
    if isinstance(fault, QuotableError):
        return f"{name}: {fault}"
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
