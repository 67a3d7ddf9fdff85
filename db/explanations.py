"""Faults of what a command needs, in a sentence for the person who ran it."""

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from db.faults import is_schema_fault, is_transient


def explain(fault: BaseException) -> str | None:
    """Return why a command could not run, or None for a fault of ours.

    The database is away or not migrated, or Temporal does not answer.
    """
    if isinstance(fault, SQLAlchemyError) and is_schema_fault(fault):
        return "could not run: the schema is not that of this release; run `referrals migrate`"
    if isinstance(fault, (OSError, SQLAlchemyError)) and is_transient(fault):
        cause = (fault.orig if isinstance(fault, DBAPIError) else None) or fault
        return f"could not run: the database did not answer ({str(cause) or type(cause).__name__})"
    if isinstance(fault, RuntimeError) and "client connect" in str(fault):
        return f"could not run: Temporal did not answer ({fault})"
    return None
