"""A receiver of OTLP over HTTP, which keeps the spans that are sent to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Received:
    """A span as it was received."""

    process: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[str, ...]
    status: str
    attributes: dict[str, str]


@dataclass(slots=True)
class Receiver:
    """The spans that were received; read them once the exporter is closed."""

    url: str
    spans: list[Received] = field(default_factory=list)

    def named(self, name: str) -> Received:
        (found,) = [span for span in self.spans if span.name == name]
        return found


@contextmanager
def otlp_receiver() -> Iterator[Receiver]:
    """Serve on a free port of the loopback interface."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
    server.receiver = receiver  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip" or self.path != "/v1/traces":
            self.send_error(400)
            return
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        receiver.spans += _spans_of(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def _spans_of(request: ExportTraceServiceRequest) -> list[Received]:
    return [
        Received(
            process=_attributes(resource.resource.attributes)["service.name"],
            name=span.name,
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex(),
            links=tuple(link.trace_id.hex() for link in span.links),
            status=span.status.message,
            attributes=_attributes(span.attributes),
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _attributes(given: Any) -> dict[str, str]:  # noqa: ANN401 - of the generated code
    return {one.key: one.value.string_value or str(one.value.int_value) for one in given}
