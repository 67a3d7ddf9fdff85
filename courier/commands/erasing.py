"""The command `erase`: erases one player, or those whom a restored backup brought back."""

from datetime import UTC, datetime

import uvloop

from courier.verifier import explain
from db.engine import Database
from db.faults import DATABASE_FAULTS
from referrals.access.audit import Actor
from referrals.personal.erasure import brought_back, erase
from referrals.personal.erasure_log import append_erasure, read_erasures
from runtime.command_line import COULD_NOT_RUN
from runtime.settings import ErasureSettings


def main(settings: ErasureSettings, player_id: str | None, *, actor: Actor) -> int:
    """Erase a player, or with None those of the log whom a restore or a replay brought back."""
    if settings.checkpoint_directory is None:
        print("warning: without REFERRALS_CHECKPOINT_DIRECTORY a backup brings the player back")  # noqa: T201
    try:
        return uvloop.run(_erase(settings, player_id, actor))
    except DATABASE_FAULTS as fault:
        print(f"could not erase: {explain(fault)}")  # noqa: T201
        return COULD_NOT_RUN


async def _erase(settings: ErasureSettings, player_id: str | None, actor: Actor) -> int:
    directory = settings.checkpoint_directory
    async with Database.open(settings.owner_database_url) as database:
        chosen = [player_id] if player_id is not None else []
        if player_id is None and directory is not None:
            async with database.transaction() as session:
                chosen = await brought_back(session, read_erasures(directory))
        erased = 0
        for player in chosen:
            async with database.transaction() as session:
                is_known = await erase(session, player, actor)
                if is_known and player_id is not None and directory is not None:
                    append_erasure(directory, player, at=datetime.now(UTC))
            erased += is_known
    print(f"erased: {erased}")  # noqa: T201
    return 0 if erased or player_id is None else 1
