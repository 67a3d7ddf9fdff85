"""What the door tells of each request: an id, one log line, and metrics; and its last resort."""

import re
import time
from typing import Final
from uuid import uuid4

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import Problem, response

REQUEST_ID_PATTERN: Final = re.compile(rb"[A-Za-z0-9_.:-]{1,64}")
BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines; a log line for each would bury the others."""

log = structlog.get_logger()


class Metrics:
    """Requests by route, never by path: a path may hold an id."""

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
            "Time until a request was answered",
            ("method", "route"),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._resolved_first_opens = Counter(
            "first_opens_resolved",
            "First opens of apps by how their person was brought",
            ("method",),
            registry=self.registry,
        )
        self._refused_methods = Counter(
            "install_claims_refused",
            "What apps found at their first open and what was not believed",
            ("method", "reason"),
            registry=self.registry,
        )

    def resolve(self, method: str | None) -> None:
        """A first open was answered; without a method, nobody is known to have brought it."""
        self._resolved_first_opens.labels(method or "none").inc()

    def count_refused_method(self, *, method: str, reason: str) -> None:
        self._refused_methods.labels(method, reason).inc()

    def count(self, *, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class ObservabilityMiddleware:
    """ASGI middleware; a fault that nobody expected is logged and answered with a plain 500."""

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
        await self._observe(scope, receive, _Sender(send, request_id))

    async def _observe(self, scope: Scope, receive: Receive, sender: "_Sender") -> None:
        started = time.perf_counter()
        try:
            await self._app(scope, receive, sender)
        except Exception:
            log.exception("request_failed", route=_route(scope))
            if sender.status is None:
                await response(Problem("internal_error"))(scope, receive, sender)
        self._tell(scope, sender.status or 500, time.perf_counter() - started)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = _method(scope), _route(scope)
        self._metrics.count(method=method, route=route, status=status, seconds=seconds)
        if route not in QUIET:
            milliseconds = round(seconds * 1000, 2)
            log.info("request", method=method, route=route, status=status, duration_ms=milliseconds)


class _Sender:
    """Passes an answer on, remembering its status and adding the request's id."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], (b"x-request-id", self._request_id)]
        await self._send(message)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID_PATTERN.fullmatch(value):
            return str(value.decode())
    return uuid4().hex


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "unmatched")


def _method(scope: Scope) -> str:
    # Whatever a caller invents as a method must not become a label of its own.
    known = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
    return scope["method"] if scope["method"] in known else "OTHER"
