"""Faults of what a command needs, in a sentence for the person who ran it."""

from typing import Final

NOT_CONFIGURED: Final = "is not set; README.md has every setting"


def explain(fault: BaseException) -> str | None:
    """Return why a command could not run, or None for a fault of ours.

    The database is away or not migrated, or Temporal does not answer.
    """
    # Imported late: a command that fails needs them, and one that prints its help does not.
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError  # noqa: PLC0415

    from db.faults import is_schema_fault, is_transient  # noqa: PLC0415

    if isinstance(fault, SQLAlchemyError) and is_schema_fault(fault):
        return "could not run: the schema is not that of this release; run `referrals migrate`"
    if isinstance(fault, (OSError, SQLAlchemyError)) and is_transient(fault):
        cause = (fault.orig if isinstance(fault, DBAPIError) else None) or fault
        return f"could not run: the database did not answer ({str(cause) or type(cause).__name__})"
    if isinstance(fault, RuntimeError) and "client connect" in str(fault):
        return f"could not run: Temporal did not answer ({fault})"
    return None
