"""A proxy that ends TLS, as a cloud's front does, before a server that speaks none."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from tests.fixtures.certificates import Authority

SSL_REQUEST: Final = bytes.fromhex("0000000804d2162f")
"""First message of a Postgres client that asks for TLS."""
CHUNK_BYTES: Final = 65536


@dataclass(slots=True)
class EncryptingProxy:
    """Forwards to a port of this machine, and records how its clients came."""

    upstream_port: int
    tls: ssl.SSLContext
    is_postgres: bool
    port: int = 0
    encrypted: int = 0
    plain: int = 0
    clients: list[str] = field(default_factory=list)
    """Common names of the clients' certificates."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            first = await self._begin(reader, writer)
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
            up_writer.write(first)
            await asyncio.gather(_forward(reader, up_writer), _forward(up_reader, writer))

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """Encrypt where the client asks for it; return what it sent besides."""
        if self.is_postgres:
            first = await reader.readexactly(len(SSL_REQUEST))
            if first != SSL_REQUEST:
                self.plain += 1
                return first
            writer.write(b"S")
            await writer.start_tls(self.tls)
        self.encrypted += 1
        for part in (writer.get_extra_info("peercert") or {}).get("subject", ()):
            self.clients += [value for name, value in part if name == "commonName"]
        return b""


@asynccontextmanager
async def encrypting_proxy(
    authority: Authority,
    *,
    upstream_port: int,
    is_postgres: bool = False,
    needs_client_certificate: bool = False,
) -> AsyncIterator[EncryptingProxy]:
    """Serve at a free port of 127.0.0.1, with a certificate of the authority."""
    issued = authority.issue("proxy")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(issued.certificate, issued.key)
    tls.set_alpn_protocols(["postgresql"] if is_postgres else ["h2"])
    if needs_client_certificate:
        tls.load_verify_locations(authority.root)
        tls.verify_mode = ssl.CERT_REQUIRED
    proxy = EncryptingProxy(upstream_port=upstream_port, tls=tls, is_postgres=is_postgres)
    server = await asyncio.start_server(
        proxy.serve, "127.0.0.1", 0, ssl=None if is_postgres else tls
    )
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()


async def _forward(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(CHUNK_BYTES):
            target.write(chunk)
            await target.drain()
    finally:
        target.close()
