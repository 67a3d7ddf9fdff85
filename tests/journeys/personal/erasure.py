"""Erasure of a player of the running stack, as `referrals erase` does it."""

import asyncio

from courier.commands import erasing
from referrals.access.audit import Actor
from runtime.settings import ErasureSettings
from stack import Connection


async def erase(stack: Connection, player_id: str) -> None:
    """Erase a player with the settings of the stack; fails where the command would."""
    known = stack.settings()
    settings = ErasureSettings(
        database_url=known.database_url,
        owner_database_url=known.owner_database_url or "",
        checkpoint_directory=known.checkpoint_directory,
        checkpoint_key=known.checkpoint_key,
    )
    actor = Actor(name="the.dpo", request_id=None, reason="the player asked for it")
    assert await asyncio.to_thread(erasing.main, settings, player_id, actor=actor) == 0
