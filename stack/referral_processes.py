"""The api, the worker, the courier and the verifier as children of the embedded stack.

The API is ready when GET /readyz answers 200. The others are ready when they print a JSON line
whose "event" is "ready".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from db.engine import Database
from referrals.access.api_keys import SCOPES, create_key
from referrals.access.audit import Actor
from referrals.campaigns.trial_campaign import publish_trial_campaign
from stack.child import ChildProcess, ChildSpec, ReadinessProbe, python_child
from stack.probes import has_logged_ready, returns_ok
from stack.state_directory import Keyring

BACKGROUND_NICENESS: Final = 10
"""Niceness of processes that no caller waits for, so that the API answers on a small machine."""
VERIFY_EVERY_S: Final = 300
"""Seconds between two runs of the verifier."""
_MIGRATED_WITHIN_S: Final = 180.0
_ACTOR: Final = Actor(name="stack", request_id=None, reason="the first start of a stack")


def children(environment: Mapping[str, str], *, api_url: str) -> tuple[ChildSpec, ...]:
    return (
        _child("api", environment, returns_ok(f"{api_url}/readyz")),
        _child("worker", environment, has_logged_ready, niceness=BACKGROUND_NICENESS),
        _child("courier", environment, has_logged_ready, niceness=BACKGROUND_NICENESS),
        python_child(
            "verifier",
            ["cli", "verify", "--every", str(VERIFY_EVERY_S)],
            has_logged_ready,
            environment=environment,
            niceness=BACKGROUND_NICENESS,
        ),
    )


async def migrate(environment: Mapping[str, str], *, logs: Path) -> None:
    """Bring the schema up to date; StartError with the end of the log when that fails."""
    process = ChildProcess(_child("migrate", environment, _has_succeeded), logs=logs)
    try:
        await process.wait_until_ready(within_s=_MIGRATED_WITHIN_S)
    finally:
        await process.stop()


async def ensure_api_keys(keyring: Keyring, path: Path, *, owner_url: str) -> Keyring:
    """Create two keys with every scope and different owners, unless an earlier run did."""
    if keyring.api_key and keyring.approver_api_key:
        return keyring
    async with Database.open(owner_url) as database, database.transaction() as session:
        operator = await create_key(session, owner="operator", scopes=SCOPES, actor=_ACTOR)
        approver = await create_key(session, owner="approver", scopes=SCOPES, actor=_ACTOR)
    return keyring.save_api_keys(path, api_key=operator, approver_api_key=approver)


async def ensure_campaign(*, database_url: str) -> None:
    """Publish the campaign `default` unless there is a campaign."""
    async with Database.open(database_url) as database, database.transaction() as session:
        await publish_trial_campaign(session, at=datetime.now(UTC))


def _child(
    command: str, environment: Mapping[str, str], probe: ReadinessProbe, *, niceness: int = 0
) -> ChildSpec:
    return python_child(
        command, ["cli", command], probe, environment=environment, niceness=niceness
    )


async def _has_succeeded(process: ChildProcess) -> bool:
    return process.exit_code() == 0
