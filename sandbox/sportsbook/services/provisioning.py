"""Creation of a service's role, database and tables in a Postgres cluster."""

import hashlib
from urllib.parse import urlsplit, urlunsplit

from sandbox.sportsbook.services.connections import connect
from sandbox.sportsbook.services.outbox import OUTBOX_TABLES


async def provision(superuser_dsn: str, name: str, *, tables: str) -> str:
    """Create the role, the database and the tables of a service, unless an earlier call did.

    The role owns its database and nothing else. Return the DSN under which the service connects.
    """
    dsn = _own_dsn(superuser_dsn, name)
    await _create_database(superuser_dsn, name, password=urlsplit(dsn).password or "")
    async with connect(dsn) as connection, connection.transaction():
        # Copies that start at the same time must not create the same table at the same time.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext(current_database()))")
        await connection.execute(OUTBOX_TABLES + tables)
    return dsn


async def _create_database(superuser_dsn: str, name: str, *, password: str) -> None:
    async with connect(superuser_dsn) as connection:
        statements = {
            f"SELECT FROM pg_roles WHERE rolname = '{name}'": (
                f"CREATE ROLE {name} LOGIN REPLICATION PASSWORD '{password}'"
            ),
            f"SELECT FROM pg_database WHERE datname = '{name}'": (
                f"CREATE DATABASE {name} OWNER {name}"
            ),
        }
        for known, create in statements.items():
            if not await connection.fetch(known):
                await connection.execute(create)


def _own_dsn(superuser_dsn: str, name: str) -> str:
    """Return the service's DSN; its password is derived, so that no file has to hold it."""
    parts = urlsplit(superuser_dsn)
    secret = hashlib.sha256(f"{name}:{parts.password}".encode()).hexdigest()
    address = f"{name}:{secret}@{parts.hostname}:{parts.port}"
    return urlunsplit((parts.scheme, address, f"/{name}", "", ""))
