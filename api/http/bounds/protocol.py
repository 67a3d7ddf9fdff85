"""HTTP over one connection, bounded where uvicorn is not: heads without an end, and idle peers."""

import re
from asyncio import TimerHandle, Transport
from collections.abc import Sequence
from operator import itemgetter
from typing import ClassVar, Final

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.http.bounds.middleware import MAX_HEAD_BYTES, headers_too_large
from api.http.errors import Problem, render_problem

UPGRADE_HEADER: Final = b"\r\nupgrade:"
OFFER: Final = re.compile(re.escape(UPGRADE_HEADER), re.IGNORECASE)
IGNORED_OFFER: Final = b"\r\nignored:"
"""Header in place of an offer to speak another protocol, such as Java's of HTTP/2. The parser would
drop the body of a request with such an offer (github.com/Kludex/uvicorn/issues/2722), and a server
may ignore it (RFC 9110, 7.8). No JSON and no encoded form has such a line in it."""
END_OF_HEAD: Final = b"\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """Connection that ends when a peer sends too much of a head, too slowly, or as one too many."""

    receive_timeout_s: ClassVar[float] = 60
    """Time for a whole request, its body too, from the first byte or from the connection on."""
    max_connections: ClassVar[int] = 900
    """Open connections of the process: below the 1,024 files that most systems let one open."""
    refusal_headers: ClassVar[Sequence[tuple[bytes, bytes]]] = ()
    """Headers of what is answered here, where no middleware adds them."""

    _unfinished_bytes = 0
    """Bytes since the parser last finished a head or a part of a body."""
    _has_finished = False
    _held_back = b""
    """End of the last bytes that may be the beginning of an offer."""
    _passed_on = b""
    """Last bytes that the parser was given: a head may end in parts."""
    _is_in_head = True
    _receive_timer: TimerHandle | None = None
    _idle_since_s: float | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.max_connections and not self._displace_idle():
            self._refuse(Problem("overloaded", headers={"Retry-After": "1"}))
        self._idle_since_s = self.loop.time()
        self._start_receive_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_receive_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._start_receive_timer()
        self._has_finished = False
        super().data_received(self._without_offers(data))
        if self._held_back and not self._is_in_head:
            held, self._held_back = self._held_back, b""  # it was the end of a body
            self._passed_on += held
            super().data_received(held)
        self._unfinished_bytes = 0 if self._has_finished else self._unfinished_bytes + len(data)
        if self._unfinished_bytes > MAX_HEAD_BYTES:
            self._refuse(headers_too_large())

    def send_400_response(self, msg: str) -> None:
        self._refuse(Problem("bad_request", msg))

    def on_headers_complete(self) -> None:
        self._has_finished = True
        self._is_in_head = False
        self._idle_since_s = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._has_finished = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._has_finished = self._is_in_head = True
        self._stop_receive_timer()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._idle_since_s = None if self.pipeline else self.loop.time()
        super().on_response_complete()

    def _without_offers(self, data: bytes) -> bytes:
        """Replace the header Upgrade by one that means nothing, also where it comes in parts."""
        data = OFFER.sub(IGNORED_OFFER, self._held_back + data)
        held = len(data) - self._beginning_of_offer(data)
        data, self._held_back = data[:held], data[held:]
        self._passed_on = (self._passed_on + data)[-len(END_OF_HEAD) :]
        return data

    def _beginning_of_offer(self, data: bytes) -> int:
        """Return how many bytes at the end may be the beginning of an offer."""
        if not self._is_in_head or (self._passed_on + data).endswith(END_OF_HEAD):
            return 0
        lengths = range(len(UPGRADE_HEADER) - 1, 0, -1)
        return next((n for n in lengths if data[-n:].lower() == UPGRADE_HEADER[:n]), 0)

    def _displace_idle(self) -> bool:
        """Close the connection that has been without a request longest; return if there was one."""
        waiting = [
            (peer._idle_since_s, peer)  # noqa: SLF001 - its own class
            for peer in self.connections
            if isinstance(peer, BoundedProtocol) and peer._idle_since_s is not None  # noqa: SLF001
        ]
        if not waiting:
            return False
        _, idle = min(waiting, key=itemgetter(0))
        idle.transport.close()
        return True

    def _start_receive_timer(self) -> None:
        if self._receive_timer is None:
            self._receive_timer = self.loop.call_later(self.receive_timeout_s, self._give_up)

    def _stop_receive_timer(self) -> None:
        if self._receive_timer is not None:
            self._receive_timer.cancel()
            self._receive_timer = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        """Answer what is not a request yet, and close the connection."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_raw_answer(render_problem(problem), self.refusal_headers))
        self.transport.close()


def _raw_answer(answer: Response, others: Sequence[tuple[bytes, bytes]]) -> bytes:
    headers = [*answer.raw_headers, *others, (b"connection", b"close")]
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return STATUS_LINE[answer.status_code] + lines + b"\r\n" + bytes(answer.body)
