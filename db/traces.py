"""Traces of events through the processes, which cost nothing until a process turns them on.

All spans about one event are in one trace, whose id each process derives from the event's id: it
travels in no row and no header, so processes that know nothing of traces lose none, and copies and
retries of an event are in its trace. What a time or a click woke is in the trace of its referral.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from hashlib import sha256
from time import time_ns
from typing import Any, Final, Protocol

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

Attributes = Mapping[str, str | int]
MAX_STATEMENT_CHARS: Final = 2_000
_STARTED: Final = "trace_started_ns"
_OFF: Final = nullcontext()


class Tracer(Protocol):
    """An exporter of spans, which a process chooses at its start."""

    def open(
        self, name: str, cause: str | None, attributes: Attributes
    ) -> AbstractContextManager[None]:
        """Open a span in the trace of `cause`, or inside the current span where there is none."""
        ...

    def open_request(self, traceparent: str | None) -> AbstractContextManager[None]:
        """Open the span of a request, in its caller's trace where the caller has one."""
        ...

    def name_request(self, method: str, route: str, status: int) -> None:
        """Name the span of the request in progress, once its route is known."""
        ...

    def write_root(self, name: str, cause: str, attributes: Attributes, *, started_ns: int) -> None:
        """Write the first span of a cause's trace, which ends now."""
        ...

    def write(
        self, name: str, cause: str | None, attributes: Attributes, *, started_ns: int
    ) -> None:
        """Write a span that ends now, in the trace of `cause`.

        Without one, inside the current span, and outside of every span nothing.
        """
        ...


_tracer: Tracer | None = None


def turn_on(tracer: Tracer | None) -> None:
    """Send spans of this process to `tracer` from now on, or to nobody."""
    global _tracer  # noqa: PLW0603 - like a log, spans are written from everywhere
    _tracer = tracer


def are_on() -> bool:
    return _tracer is not None


def span(
    name: str, *, cause: str | None = None, **attributes: str | int
) -> AbstractContextManager[None]:
    """Open a span; `cause` is the id of the event that it is about."""
    return _OFF if _tracer is None else _tracer.open(name, cause, attributes)


def root(name: str, *, cause: str, started_ns: int, **attributes: str | int) -> None:
    """Write the span with which an event's trace begins: its record."""
    if _tracer is not None:
        _tracer.write_root(name, cause, attributes, started_ns=started_ns)


def request(traceparent: str | None) -> AbstractContextManager[None]:
    """Open the span of a request; `traceparent` is the caller's header."""
    return _OFF if _tracer is None else _tracer.open_request(traceparent)


def name_request(*, method: str, route: str, status: int) -> None:
    if _tracer is not None:
        _tracer.name_request(method, route, status)


def past(name: str, *, cause: str, started_ns: int) -> None:
    """Write a span that ends now, about an event that was found only meanwhile."""
    if _tracer is not None:
        _tracer.write(name, cause, {}, started_ns=started_ns)


def trace_id_of(cause: str) -> int:
    """Return the 128 bits of the trace of an event or a referral."""
    return int.from_bytes(_digest(cause)[:16])


def root_id_of(cause: str) -> int:
    """Return the 64 bits of the first span of its trace."""
    return int.from_bytes(_digest(cause)[16:24])


def _digest(cause: str) -> bytes:
    return sha256(f"referrals trace {cause}".encode()).digest()


def watch_statements(engine: Engine) -> None:
    """Write a span for each statement inside a span, if traces are on by now."""
    if are_on():
        event.listen(engine, "before_cursor_execute", _begin_statement)
        event.listen(engine, "after_cursor_execute", _end_statement)


def _begin_statement(connection: Connection, *_: Any) -> None:  # noqa: ANN401 - as SQLAlchemy calls it
    connection.info[_STARTED] = time_ns()


def _end_statement(connection: Connection, _: Any, statement: str, *__: Any) -> None:  # noqa: ANN401 - as above
    started_ns = connection.info.pop(_STARTED, None)
    if _tracer is not None and started_ns is not None:
        text = statement.strip()[:MAX_STATEMENT_CHARS]
        words = text.split(maxsplit=1)
        attributes = {"db.system.name": "postgresql", "db.query.text": text}
        name = f"sql {words[0].lower() if words else ''}"
        _tracer.write(name, None, attributes, started_ns=started_ns)
