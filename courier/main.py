"""The courier: carries facts to the workflows that have to hear them."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

import structlog
import uvloop

from courier.carrier import Carrier
from courier.rate_limiter import RateLimiter
from courier.router import Router
from courier.work_loop import WorkLoop
from db.engine import Database
from db.listen import listen
from referrals.attribution.tokens import Tokens
from referrals.lifecycle.deliveries import INVITATION, Lane
from runtime.exit import stop_event
from runtime.settings import Settings
from workflows.client import connect

SHUTDOWN_TIMEOUT_S: Final = 8.0
"""Longer than one call to Temporal, so that the round under way is finished."""
MIN_POOL_SIZE: Final = 4
"""One connection claims players, one routes them, one carries, and one invitations."""

log = structlog.get_logger()


def main(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT."""
    uvloop.run(_run_until_stopped(settings))
    return 0


async def _run_until_stopped(settings: Settings) -> None:
    await run(settings, stopping=stop_event())


async def run(settings: Settings, *, stopping: asyncio.Event) -> None:
    """Carry until told to stop; Postgres and Temporal may be away, at the start or later."""
    pool_size = max(settings.database_pool_size, MIN_POOL_SIZE)
    database = Database(settings.database_url, pool_size=pool_size)
    work = _build_loops(settings, database)
    tasks = [asyncio.create_task(rounds.run()) for rounds in work]
    tasks.append(asyncio.create_task(listen(settings.database_url, partial(_wake, work))))
    log.info("ready")
    await stopping.wait()
    await _stop(work, tasks)
    await database.close()


def _build_loops(settings: Settings, database: Database) -> tuple[WorkLoop, ...]:
    tokens = Tokens(settings.token_key.get_secret_value())
    router = Router(database, tokens=tokens, clock=partial(datetime.now, UTC))
    carrier = partial(
        Carrier,
        database,
        connect=partial(connect, settings.temporal_address, settings.temporal_namespace),
        task_queue=settings.task_queue,
    )
    pace = RateLimiter(settings.invitations_per_second)
    return (
        WorkLoop("routing", router.route),
        WorkLoop("carrying", carrier(lane=Lane.UPDATES).carry),
        WorkLoop("inviting", carrier(lane=Lane.INVITATIONS, pace=pace).carry, wakes=INVITATION),
    )


def _wake(work: tuple[WorkLoop, ...], word: str | None) -> None:
    for rounds in work:
        if word is None or word == rounds.wakes:
            rounds.alarm.ring()


async def _stop(work: tuple[WorkLoop, ...], tasks: list[asyncio.Task[None]]) -> None:
    for rounds in work:
        rounds.stop()
    *working, listening = tasks
    listening.cancel()
    await asyncio.wait(working, timeout=SHUTDOWN_TIMEOUT_S)
    for task in working:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks)
