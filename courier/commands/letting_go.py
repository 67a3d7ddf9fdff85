"""The command `retention`: lets go of what is older than an age, kind by kind."""

from datetime import datetime
from typing import Final

import uvloop

from courier.verifier import explain
from db.engine import Database
from db.faults import DATABASE_FAULTS
from referrals.access.audit import Actor
from referrals.personal.retention import KINDS, STATEMENT_TIMEOUT_S, count_old, let_go_of_all
from runtime.settings import DatabaseSettings

COULD_NOT_RUN: Final = 2
_ANSWER_GRACE_S: Final = 5.0


def main(settings: DatabaseSettings, *, before: datetime, is_dry: bool, actor: Actor) -> int:
    """Print how many rows of each kind were let go of, or would be, and return the exit code."""
    try:
        return uvloop.run(_run(settings, before=before, is_dry=is_dry, actor=actor))
    except DATABASE_FAULTS as fault:
        print(f"could not let go of anything more: {explain(fault)}")  # noqa: T201
        return COULD_NOT_RUN


async def _run(settings: DatabaseSettings, *, before: datetime, is_dry: bool, actor: Actor) -> int:
    timeout_s = STATEMENT_TIMEOUT_S + _ANSWER_GRACE_S
    async with Database.open(settings.database_url, command_timeout_s=timeout_s) as database:
        for kind in KINDS:
            rows = await _rows(database, kind, before=before, is_dry=is_dry, actor=actor)
            print(f"{kind}: {rows}")  # noqa: T201
    return 0


async def _rows(
    database: Database, kind: str, *, before: datetime, is_dry: bool, actor: Actor
) -> int:
    if not is_dry:
        return await let_go_of_all(database, kind, actor, before=before)
    async with database.transaction() as session:
        return await count_old(session, kind, before=before)
