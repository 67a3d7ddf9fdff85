"""Actors and transactions of the commands that change something."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from runtime.command_line import read_settings, system_user
from runtime.settings import DatabaseSettings

if TYPE_CHECKING:
    from db.engine import Session
    from referrals.access.audit import Actor

_Result = TypeVar("_Result")


def audit_actor(name: str | None, reason: str) -> "Actor":
    from referrals.access.audit import Actor
    from referrals.intake.contacts import mask_contacts

    return Actor(name=name or system_user(), request_id=None, reason=mask_contacts(reason))


def in_transaction(
    operation: "Callable[[Session], Awaitable[_Result]]", *, url: str | None = None
) -> _Result:
    """Run an operation in one transaction, as the application's role where no URL is given."""
    from db.engine import Database

    database_url = url or read_settings(DatabaseSettings).database_url

    async def run() -> _Result:
        async with (
            Database.open(database_url) as database,
            database.transaction() as session,
        ):
            return await operation(session)

    return asyncio.run(run())
