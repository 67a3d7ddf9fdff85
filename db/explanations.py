"""Faults of what a command needs, in a sentence for the person who ran it."""

import errno
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from db.faults import is_schema_fault, is_transient

OF_LISTENING: Final = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL})
"""Faults of a server's start, which no client of a database has."""


def explain(fault: BaseException) -> str | None:
    """Return why a command could not run, or None for a fault of ours.

    The database is away or not migrated, Temporal does not answer, a port is taken, or a file
    cannot be read.
    """
    if isinstance(fault, OSError) and fault.errno in OF_LISTENING:
        return (
            f"could not run: cannot listen ({fault.strerror}); set another port or host by"
            " REFERRALS_API_*, REFERRALS_WORKER_METRICS_* or REFERRALS_COURIER_METRICS_*"
        )
    if isinstance(fault, OSError) and fault.filename is not None:
        return f"could not run: {fault.filename}: {fault.strerror}"
    if isinstance(fault, SQLAlchemyError) and is_schema_fault(fault):
        return "could not run: the schema is not that of this release; run `referrals migrate`"
    if isinstance(fault, (OSError, SQLAlchemyError)) and is_transient(fault):
        cause = (fault.orig if isinstance(fault, DBAPIError) else None) or fault
        return f"could not run: the database did not answer ({str(cause) or type(cause).__name__})"
    if isinstance(fault, RuntimeError) and "client connect" in str(fault):
        return f"could not run: Temporal did not answer ({fault})"
    return None
