"""Connections to Postgres: their deadlines, keep-alives, and the refusal of unsafe poolers."""

import asyncio
import errno
import socket
from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from db.address import DatabaseAddress, Pooler

KEEPALIVE_IDLE_S: Final = 30
"""Below the time after which load balancers and NAT forget an idle connection."""
KEEPALIVE_INTERVAL_S: Final = 10
KEEPALIVE_COUNT: Final = 3
_KEEPALIVES: Final = (
    ("TCP_KEEPIDLE", KEEPALIVE_IDLE_S),
    ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_S),
    ("TCP_KEEPCNT", KEEPALIVE_COUNT),
)
_SERVER_KEEPALIVES: Final = {
    "tcp_keepalives_idle": str(KEEPALIVE_IDLE_S),
    "tcp_keepalives_interval": str(KEEPALIVE_INTERVAL_S),
    "tcp_keepalives_count": str(KEEPALIVE_COUNT),
}
"""Settings with which the server, too, notices that the other side has vanished."""
_UNSUPPORTED: Final = "unsupported startup parameter"
"""Part of PgBouncer's refusal of session settings."""


class PoolerError(ConnectionError):
    """A connection pooler that would drop what this system needs of a session."""

    def __init__(self) -> None:
        super().__init__(
            errno.EPROTO,
            "a connection pooler answers in place of Postgres: in transaction mode it drops session"
            " settings and LISTEN. Connect to Postgres itself, or to a pooler in session mode with"
            " ?pooler=session in the database URL",
        )


async def connect(
    address: DatabaseAddress, *, settings: Mapping[str, str], command_timeout_s: float | None
) -> asyncpg.Connection:
    """Open a connection whose statements each have a deadline, here and in the server.

    Raises PoolerError for a pooler that the URL does not name, OSError and asyncpg's errors.
    """
    settings = {**_SERVER_KEEPALIVES, **settings}
    is_pooled = address.pooler is Pooler.SESSION
    arguments: dict[str, Any] = {
        **address.connect_arguments,
        "command_timeout": address.command_timeout_s or command_timeout_s,
        "server_settings": {**({} if is_pooled else settings), **address.server_settings},
    }
    try:
        connection: asyncpg.Connection = await asyncpg.connect(**arguments)
    except asyncpg.ProtocolViolationError as refusal:
        raise (PoolerError() if _UNSUPPORTED in str(refusal) else refusal) from None
    except asyncpg.InsufficientPrivilegeError as refusal:
        # Of a statement it is a fault of the schema; of a connection it passes with the grant.
        raise ConnectionRefusedError(errno.EACCES, "the role may not connect") from refusal
    try:
        _keep_alive(connection)
        await _prepare_session(connection, settings if is_pooled else {}, is_pooled=is_pooled)
    except BaseException:
        connection.terminate()
        raise
    return connection


def _keep_alive(connection: asyncpg.Connection) -> None:
    # asyncpg has no option for it.
    transport: asyncio.Transport = connection._transport  # type: ignore[attr-defined]  # noqa: SLF001
    used = transport.get_extra_info("socket")
    if used is None or used.family == socket.AF_UNIX:
        return
    used.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVES:
        if hasattr(socket, name):
            used.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _prepare_session(
    connection: asyncpg.Connection, settings: Mapping[str, str], *, is_pooled: bool
) -> None:
    """Set the session's settings through a pooler; find one that was not named."""
    for name, value in settings.items():
        await connection.execute("select set_config($1, $2, false)", name, value)
    # A pooler gives its clients process ids of its own.
    pid = await connection.fetchval("select pg_backend_pid()")
    if pid != connection.get_server_pid() and not is_pooled:
        raise PoolerError
