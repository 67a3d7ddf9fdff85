"""Spans by the OpenTelemetry SDK; imported only where traces are exported."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from db.traces import Attributes, root_id_of, trace_id_of
from runtime.version import VERSION

SERVER_ERROR: Final = 500
_FORCED: Final[ContextVar[tuple[int, int] | None]] = ContextVar("forced_ids", default=None)
"""Ids of the span that is being started: a trace's and a span's."""


class _Ids(RandomIdGenerator):
    """Random ids, but for the first span of an event's trace."""

    def generate_trace_id(self) -> int:
        forced = _FORCED.get()
        return forced[0] if forced else super().generate_trace_id()

    def generate_span_id(self) -> int:
        forced = _FORCED.get()
        return forced[1] if forced else super().generate_span_id()


class OpenTelemetrySpans:
    """Spans of one process; of a fault they have its type, never its text."""

    def __init__(self, *, endpoint: str | None, ratio: float, process: str) -> None:
        """Export to an address, or to the one that OpenTelemetry's own variables name.

        The ratio is of trace ids, so that every process keeps the same traces.
        """
        resource = {"service.name": f"referrals-{process}", "service.version": VERSION}
        self._provider = TracerProvider(
            sampler=TraceIdRatioBased(ratio),
            resource=Resource.create(resource),
            id_generator=_Ids(),
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=endpoint)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("referrals", VERSION)

    def close(self) -> None:
        """Send what is not sent yet."""
        self._provider.shutdown()

    @contextmanager
    def open(self, name: str, cause: str | None, attributes: Attributes) -> Iterator[None]:
        around = get_current_span().get_span_context()
        is_apart = cause is not None and around.is_valid and around.trace_id != trace_id_of(cause)
        with self._tracer.start_as_current_span(
            name,
            context=_inside(cause) if cause else None,
            attributes=attributes,
            links=[Link(around)] if is_apart else None,
            record_exception=False,
            set_status_on_exception=False,
        ) as opened:
            try:
                yield
            except Exception as fault:
                opened.set_status(Status(StatusCode.ERROR, type(fault).__name__))
                raise

    @contextmanager
    def open_request(self, traceparent: str | None) -> Iterator[None]:
        carrier = {"traceparent": traceparent} if traceparent else {}
        caller = TraceContextTextMapPropagator().extract(carrier, Context())
        with self._tracer.start_as_current_span("request", context=caller, kind=SpanKind.SERVER):
            yield

    def name_request(self, method: str, route: str, status: int) -> None:
        request = get_current_span()
        request.update_name(f"{method} {route}")
        request.set_attributes(
            {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
            }
        )
        if status >= SERVER_ERROR:
            request.set_status(Status(StatusCode.ERROR))

    def write_root(self, name: str, cause: str, attributes: Attributes, *, started_ns: int) -> None:
        forced = _FORCED.set((trace_id_of(cause), root_id_of(cause)))
        try:
            began = self._tracer.start_span(
                name, context=Context(), attributes=attributes, start_time=started_ns
            )
        finally:
            _FORCED.reset(forced)
        began.end()

    def write(
        self, name: str, cause: str | None, attributes: Attributes, *, started_ns: int
    ) -> None:
        if cause is None and not get_current_span().get_span_context().is_valid:
            return
        self._tracer.start_span(
            name,
            context=_inside(cause) if cause else None,
            attributes=attributes,
            start_time=started_ns,
        ).end()


def _inside(cause: str) -> Context:
    """Return a context in the trace of a cause, below its first span, whoever writes that."""
    first = SpanContext(
        trace_id=trace_id_of(cause),
        span_id=root_id_of(cause),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return set_span_in_context(NonRecordingSpan(first), Context())
