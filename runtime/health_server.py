"""HTTP server of a process without an HTTP door: GET /healthz, /readyz and /metrics."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Final, Self, TypeVar
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as PROMETHEUS_TEXT

from runtime.readiness import Readiness, ReadinessReport

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from wsgiref.types import StartResponse, WSGIEnvironment

ANSWER_TIMEOUT_S: Final = 3.0
"""Bounds what the event loop may take to answer; one that takes longer hangs."""
SOCKET_TIMEOUT_S: Final = 10.0

_Answer = TypeVar("_Answer")


class HealthServer:
    """Threads beside the event loop, so that a loop that hangs is seen from outside.

    Started within a running event loop. `render_metrics` runs in a thread of the server.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        readiness: Readiness,
        render_metrics: Callable[[], bytes],
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        """Listen; OSError if the port is taken."""
        self._loop = asyncio.get_running_loop()
        self._readiness = readiness
        self._render_metrics = render_metrics
        self._answer_timeout_s = answer_timeout_s
        self._server = make_server(
            host, port, self._answer, server_class=_server_class(host), handler_class=_Handler
        )
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self._server.server_port

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._server.shutdown)
        self._server.server_close()

    def _answer(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        routes = {
            "/healthz": self._show_alive,
            "/readyz": self._show_readiness,
            "/metrics": self._show_metrics,
        }
        route = routes.get(environ["PATH_INFO"])
        if route is None:
            status, media_type, body = HTTPStatus.NOT_FOUND, "text/plain", b""
        elif environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            status, media_type, body = HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b""
        else:
            status, media_type, body = route()
        headers = [("Content-Type", media_type), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _show_alive(self) -> tuple[HTTPStatus, str, bytes]:
        try:
            self._ask(asyncio.sleep(0))
        except TimeoutError:
            return _json(HTTPStatus.SERVICE_UNAVAILABLE, {"status": "hangs"})
        return _json(HTTPStatus.OK, {"status": "ok"})

    def _show_readiness(self) -> tuple[HTTPStatus, str, bytes]:
        try:
            report = self._ask(self._readiness.ask())
        except TimeoutError:
            report = ReadinessReport(is_ready=False, dependencies={"process": "hangs"})
        status = HTTPStatus.OK if report.is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _json(
            status,
            {
                "status": "ready" if report.is_ready else "not_ready",
                "dependencies": report.dependencies,
            },
        )

    def _show_metrics(self) -> tuple[HTTPStatus, str, bytes]:
        try:
            return HTTPStatus.OK, PROMETHEUS_TEXT, self._render_metrics()
        except OSError:
            # Half of the metrics would look like a process that does nothing.
            return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b""

    def _ask(self, question: "Coroutine[None, None, _Answer]") -> _Answer:
        """Wait for the event loop's answer; TimeoutError if it hangs."""
        asked: Future[_Answer] = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return asked.result(timeout=self._answer_timeout_s)
        except TimeoutError:
            asked.cancel()
            raise


class _Handler(WSGIRequestHandler):
    timeout = SOCKET_TIMEOUT_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Log nothing: it is asked every few seconds."""


def _server_class(host: str) -> type[WSGIServer]:
    [(family, *_), *_] = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)

    class Server(ThreadingMixIn, WSGIServer):
        address_family = family
        daemon_threads = True

    return Server


def _json(status: HTTPStatus, content: object) -> tuple[HTTPStatus, str, bytes]:
    return status, "application/json", json.dumps(content).encode()
