"""Connections of httpcore to checked addresses.

A name is looked up once, and what was checked is what is connected to: a second answer of a DNS
server changes nothing.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from typing import Final

import httpcore

from domain.webhooks.addresses import IPAddress

MAX_LOOKUPS: Final = 32
"""Names that are looked up at the same time; each has a thread, as a lookup cannot be cancelled."""
MAX_ADDRESSES: Final = 4
"""Addresses of one name that are tried in turn."""
CONNECT_TIMEOUT_S: Final = 3.0
"""For one address, so that four fit into the time of an attempt."""

Lookup = Callable[[str, int], Sequence[IPAddress]]
SocketOptions = Iterable[httpcore.SOCKET_OPTION]


class AddressRefusedError(Exception):
    """A host has an address that may not be called."""


class LookupFailedError(Exception):
    """A host's name has no address, or nobody who would tell it."""


def system_lookup(host: str, port: int) -> Sequence[IPAddress]:
    """Look a host up as the system does, in its order; OSError and UnicodeError when it fails."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(str(address[0]).partition("%")[0]) for *_, address in found]


class Resolver:
    """Looks names up in daemon threads of its own, once for all who ask at the same time.

    The event loop's own threads are few, and shared with the connections to Postgres: a few names
    whose DNS servers do not answer would stop the process.
    """

    def __init__(self, lookup: Lookup = system_lookup) -> None:
        self._lookup = lookup
        self._under_way: dict[tuple[str, int], asyncio.Future[Sequence[IPAddress]]] = {}
        self._slots = asyncio.Semaphore(MAX_LOOKUPS)

    async def resolve(self, host: str, port: int) -> Sequence[IPAddress]:
        """Return the addresses of a host; LookupFailedError when it has none."""
        key = (host, port)
        found = self._under_way.get(key)
        if found is None:
            found = asyncio.ensure_future(self._resolve(host, port))
            self._under_way[key] = found
            found.add_done_callback(partial(self._forget, key))
        return await asyncio.shield(found)

    def _forget(self, key: tuple[str, int], ended: asyncio.Future[Sequence[IPAddress]]) -> None:
        self._under_way.pop(key, None)
        if not ended.cancelled():
            ended.exception()  # whoever still waits sees it; nobody else is told

    async def _resolve(self, host: str, port: int) -> Sequence[IPAddress]:
        async with self._slots:
            addresses = await self._in_thread(host, port)
        if not addresses:
            raise LookupFailedError
        return addresses

    async def _in_thread(self, host: str, port: int) -> Sequence[IPAddress]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[IPAddress] | None] = loop.create_future()

        def answer_with(addresses: Sequence[IPAddress] | None) -> None:
            if not answer.done():
                answer.set_result(addresses)

        def run() -> None:
            addresses = None
            with suppress(OSError, UnicodeError, ValueError):
                addresses = self._lookup(host, port)
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                loop.call_soon_threadsafe(answer_with, addresses)

        threading.Thread(target=run, name="webhook-dns", daemon=True).start()
        return await answer or ()


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Network backend that connects only to addresses that are allowed.

    All addresses of a name must be, or none is called. TLS still checks the certificate against
    the name, which httpcore passes to `start_tls`.
    """

    def __init__(
        self,
        *,
        is_allowed: Callable[[IPAddress], bool],
        resolver: Resolver,
        backend: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._is_allowed = is_allowed
        self._resolver = resolver
        self._backend = backend or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._resolver.resolve(host.strip("[]"), port)
        if not all(self._is_allowed(address) for address in addresses):
            raise AddressRefusedError
        timeout = min(timeout or CONNECT_TIMEOUT_S, CONNECT_TIMEOUT_S)
        fault: Exception = LookupFailedError()
        for address in addresses[:MAX_ADDRESSES]:
            try:
                return await self._backend.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                fault = failed
        raise fault

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        socket_options: SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise AddressRefusedError

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)
