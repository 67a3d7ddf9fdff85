"""Our own processes as children of the embedded stack, and what they need beforehand.

The API is ready when GET /readyz answers 200. Worker and courier are ready when they print a
JSON line whose "event" is "ready".
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from db.engine import Database
from referrals.access.api_keys import SCOPES, create_key
from referrals.access.audit import Actor
from stack.child import ChildSpec, ReadinessProbe, Started
from stack.keyring import Keyring
from stack.probes import answers, has_logged_ready

_PROJECT: Final = Path(__file__).resolve().parent.parent
BACKGROUND_NICENESS: Final = 10
"""Of what works while nobody waits; on one small machine it must not hold a door up."""
_MIGRATED_WITHIN_S: Final = 60.0
_ACTOR: Final = Actor(name="stack", request_id=None, reason="the first start of a stack")


def children(environment: Mapping[str, str], *, api_url: str) -> tuple[ChildSpec, ...]:
    return (
        _child("api", environment, answers(f"{api_url}/readyz")),
        _child("worker", environment, has_logged_ready, niceness=BACKGROUND_NICENESS),
        _child("courier", environment, has_logged_ready, niceness=BACKGROUND_NICENESS),
    )


async def migrate(environment: Mapping[str, str], *, logs: Path) -> None:
    """Bring the schema up to date; StartError with the end of the log when that fails."""
    process = Started(_child("migrate", environment, _has_succeeded), logs=logs)
    try:
        await process.ready(within_s=_MIGRATED_WITHIN_S)
    finally:
        await process.stop()


async def with_api_keys(keyring: Keyring, path: Path, *, database_url: str) -> Keyring:
    """Two keys with every scope and different owners, unless an earlier run made them."""
    if keyring.api_key and keyring.approver_api_key:
        return keyring
    async with Database.open(database_url) as database, database.transaction() as session:
        operator = await create_key(session, owner="operator", scopes=SCOPES, actor=_ACTOR)
        approver = await create_key(session, owner="approver", scopes=SCOPES, actor=_ACTOR)
    return keyring.with_api_keys(path, api_key=operator, approver_api_key=approver)


def _child(
    command: str, environment: Mapping[str, str], ready: ReadinessProbe, *, niceness: int = 0
) -> ChildSpec:
    return ChildSpec(
        name=command,
        niceness=niceness,
        command=[sys.executable, "-m", "cli", command],
        environment={**environment, "PYTHONUNBUFFERED": "1"},
        ready=ready,
        directory=_PROJECT,
    )


async def _has_succeeded(process: Started) -> bool:
    return process.exit_code() == 0
