"""Reporters: who made a transaction write what it writes, and by which request.

A door names the caller; an act names nobody, and rests on the newest event that it has read.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

_CALLER: Final = "caller"
_NEWEST: Final = "newest event"


class Reporter(NamedTuple):
    """Owner of a key, topic or person, and the request, record or workflow."""

    name: str | None = None
    request_id: str | None = None


NOBODY: Final = Reporter()


class Writer(Protocol):
    """A session; what is noted lives as long as its transaction."""

    @property
    def info(self) -> dict[Any, Any]: ...


def note_caller(writer: Writer, caller: Reporter) -> None:
    """Note who called, whatever the transaction reads."""
    writer.info[_CALLER] = caller


def note_event(writer: Writer, reporter: Reporter, *, heard_at: datetime) -> None:
    """Note who reported an event that was read, unless a newer one was."""
    newest = writer.info.get(_NEWEST)
    if newest is None or newest[0] < heard_at:
        writer.info[_NEWEST] = heard_at, reporter


def reporter_of(writer: Writer) -> Reporter:
    """Return the caller, else the reporter of the newest event that was read."""
    caller: Reporter | None = writer.info.get(_CALLER)
    if caller is not None:
        return caller
    _, reporter = writer.info.get(_NEWEST, (None, NOBODY))
    return Reporter(*reporter)
