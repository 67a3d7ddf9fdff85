"""A TCP proxy that breaks connections: cut, delayed, half-closed, frozen, or unanswered."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

CHUNK_BYTES: Final = 65536
COMMIT: Final = b"COMMIT;\x00"
"""End of the message by which a Postgres client commits."""
_ENDS: Final = (COMMIT, b"ROLLBACK;\x00")
_HAS_WRITTEN: Final = re.compile(rb"(?:INSERT 0|UPDATE|DELETE) [1-9][0-9]*\x00")
"""Tag of a statement that changed rows."""


@dataclass(slots=True, eq=False)
class _Connection:
    """One client and its connection to the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_frozen: bool = False
    has_written: bool = False
    loses_reply: bool = False

    def abort(self) -> None:
        self.client.transport.abort()
        self.server.transport.abort()


@dataclass(slots=True)
class BreakingProxy:
    """Forwards to a port of this machine until it is told to break something."""

    upstream_port: int
    port: int = 0
    delay_s: float = 0.0
    """Seconds by which each chunk of bytes is late."""
    refuses: bool = False
    """New connections are cut at once."""
    freezes: bool = False
    """New connections are taken, and nothing of them is forwarded."""
    commits_to_lose: int = 0
    """Commits of written rows whose replies are still to be lost, every third one."""
    lost_commits: int = 0
    _commits: int = 0
    _connections: set[_Connection] = field(default_factory=set)

    def cut(self) -> None:
        """Reset every connection."""
        for connection in tuple(self._connections):
            connection.abort()

    def half_close(self) -> None:
        """Let every client read the end of its stream while it may still write."""
        for connection in tuple(self._connections):
            connection.client.write_eof()

    def freeze(self) -> None:
        """Let every present connection swallow what is sent, for ever, without being closed."""
        for connection in self._connections:
            connection.is_frozen = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.transport.abort()
            return
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        connection = _Connection(writer, up_writer, is_frozen=self.freezes)
        self._connections.add(connection)
        try:
            await asyncio.gather(
                self._forward(connection, reader, up_writer, self._see_request),
                self._forward(connection, up_reader, writer, self._see_reply),
            )
        except OSError:
            connection.abort()
        finally:
            self._connections.discard(connection)

    async def _forward(
        self,
        connection: _Connection,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        see: Callable[[_Connection, bytes], bool],
    ) -> None:
        while chunk := await source.read(CHUNK_BYTES):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            if connection.is_frozen:
                continue
            if not see(connection, chunk):
                connection.abort()
                return
            target.write(chunk)
            await target.drain()
        with suppress(OSError, RuntimeError):
            target.close()

    def _see_request(self, connection: _Connection, chunk: bytes) -> bool:
        if chunk.endswith(COMMIT) and connection.has_written and self.commits_to_lose:
            self._commits += 1
            connection.loses_reply = self._commits % 3 == 0
        if chunk.endswith(_ENDS):
            connection.has_written = False
        return True

    def _see_reply(self, connection: _Connection, chunk: bytes) -> bool:
        """Return False for the reply that is to be lost: the server has done what it was told."""
        if connection.loses_reply and self.commits_to_lose:
            self.commits_to_lose -= 1
            self.lost_commits += 1
            return False
        if _HAS_WRITTEN.search(chunk):
            connection.has_written = True
        return True


@asynccontextmanager
async def breaking_proxy(*, upstream_port: int) -> AsyncIterator[BreakingProxy]:
    """Serve at a free port of 127.0.0.1."""
    proxy = BreakingProxy(upstream_port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
