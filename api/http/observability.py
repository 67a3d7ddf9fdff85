"""Request ids, request logs and metrics of the HTTP door, and the 500 for unexpected faults."""

import time
from typing import Final
from uuid import uuid4

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import Problem, render_problem
from db import traces
from domain.field_shapes import request_id_or_none

REQUEST_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
UNLOGGED_ROUTES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Routes that are probed every few seconds; their log lines would bury all others."""

log = structlog.get_logger()


class Metrics:
    """Prometheus metrics of this process.

    Requests are labelled by route, never by path, which may hold an id.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "http_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Seconds until a request was answered",
            ("method", "route"),
            buckets=REQUEST_BUCKETS_S,
            registry=self.registry,
        )
        self._labelled: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._resolved_first_opens = Counter(
            "first_opens_resolved",
            "First opens of the app by the method that attributed them",
            ("method",),
            registry=self.registry,
        )
        self._refused_methods = Counter(
            "first_open_methods_refused",
            "Attribution methods refused at a first open, by reason",
            ("method", "reason"),
            registry=self.registry,
        )

    def count_resolved_first_open(self, method: str | None) -> None:
        """Count an answered first open; None means that no method attributed it."""
        self._resolved_first_opens.labels(method or "none").inc()

    def count_refused_method(self, *, method: str, reason: str) -> None:
        self._refused_methods.labels(method, reason).inc()

    def observe_request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        # Looking a label up takes a lock, and as long as counting.
        key = (method, route, status)
        if key not in self._labelled:
            self._labelled[key] = (
                self._requests.labels(method, route, str(status)),
                self._seconds.labels(method, route),
            )
        requests, durations = self._labelled[key]
        requests.inc()
        durations.observe(seconds)


class ObservabilityMiddleware:
    """ASGI middleware that logs and measures requests, and answers unexpected faults with a 500."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        if scope["path"] in UNLOGGED_ROUTES:
            await self._observe(scope, receive, _Sender(send, request_id))
            return
        with traces.request(_header(scope, b"traceparent")):
            await self._observe(scope, receive, _Sender(send, request_id))

    async def _observe(self, scope: Scope, receive: Receive, sender: "_Sender") -> None:
        started = time.perf_counter()
        try:
            await self._app(scope, receive, sender)
        except Exception:
            log.exception("request_failed", route=_route(scope))
            if sender.status is None:
                await render_problem(Problem("internal_error"))(scope, receive, sender)
        answered = sender.answered_at or time.perf_counter()
        self._record(scope, sender.status or 500, answered - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = _method(scope), _route(scope)
        traces.name_request(method=method, route=route, status=status)
        self._metrics.observe_request(method=method, route=route, status=status, seconds=seconds)
        if route not in UNLOGGED_ROUTES:
            milliseconds = round(seconds * 1000, 2)
            log.info("request", method=method, route=route, status=status, duration_ms=milliseconds)


class _Sender:
    """Wrapper of `send` that keeps the status of the answer and adds the request's id to it."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self.status: int | None = None
        self.answered_at: float | None = None
        """Time at which the whole answer was sent; a route may have work to do after it."""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], (b"x-request-id", self._request_id)]
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.answered_at = time.perf_counter()


def _request_id(scope: Scope) -> str:
    given = _header(scope, b"x-request-id")
    return (request_id_or_none(given) if given is not None else None) or uuid4().hex


def _header(scope: Scope, wanted: bytes) -> str | None:
    """Return the first header of a name."""
    found = (value for name, value in scope["headers"] if name == wanted)
    value = next(found, None)
    return None if value is None else value.decode("latin-1")


def _route(scope: Scope) -> str:
    route = scope.get("route")
    # As OpenAPI writes it: `/r/{code}`, whatever the code may hold.
    path: str = getattr(route, "path_format", "") or getattr(route, "path", "unmatched")
    return path


def _method(scope: Scope) -> str:
    # A method that a caller invents must not become a label: labels cost memory for ever.
    known = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
    return scope["method"] if scope["method"] in known else "OTHER"
