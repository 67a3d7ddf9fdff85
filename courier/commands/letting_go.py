"""The command `retention`: lets go of what is older than an age, kind by kind."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

import uvloop

from courier.verifier import explain
from db.engine import Database
from db.faults import DATABASE_FAULTS
from referrals.access.audit import Actor
from referrals.personal.retention import KINDS, count_old, let_go
from runtime.settings import ErasureSettings

COULD_NOT_RUN: Final = 2


def main(settings: ErasureSettings, *, before: datetime, is_dry: bool, actor: Actor) -> int:
    """Print how many rows of each kind were let go of, or would be, and return the exit code."""
    try:
        return uvloop.run(_run(settings, before=before, is_dry=is_dry, actor=actor))
    except DATABASE_FAULTS as fault:
        print(f"could not let go of anything more: {explain(fault)}")  # noqa: T201
        return COULD_NOT_RUN


async def _run(settings: ErasureSettings, *, before: datetime, is_dry: bool, actor: Actor) -> int:
    async with Database.open(settings.owner_database_url) as database:
        async for name, rows in _rows(database, before=before, is_dry=is_dry, actor=actor):
            print(f"{name}: {rows}")  # noqa: T201
    return 0


async def _rows(
    database: Database, *, before: datetime, is_dry: bool, actor: Actor
) -> AsyncIterator[tuple[str, int]]:
    for kind in KINDS:
        total = 0
        if is_dry:
            async with database.transaction() as session:
                total = await count_old(session, kind, before=before)
        while not is_dry:
            async with database.transaction() as session:
                rows = await let_go(session, kind, actor, before=before)
            total += rows
            if not rows:
                break
        yield kind.name, total
