"""The verifier process: verification every few minutes, and the care that Temporal schedules."""

import asyncio
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.care.nightly import CareActivities, CheckpointStore
from courier import verifier
from db.engine import ANSWER_GRACE_S, Database
from db.faults import describe
from referrals.verification.verify import STATEMENT_TIMEOUT_S
from runtime.care_settings import CareSettings
from runtime.exit import stop_event
from worker import SHUTDOWN_TIMEOUT
from workflows.builds import BUILD_ID
from workflows.care import CareWorkflow, care_queue, ensure_schedules
from workflows.connection import TemporalServer, connect_to
from workflows.runner import runner_for

POOL_SIZE: Final = 4
"""Connections of care: each kind uses one, and one more to record that it failed."""
RECONNECT_BACKOFF_S: Final = 30.0
log = structlog.get_logger()


def main(settings: CareSettings, *, interval_s: float) -> int:
    """Run until SIGTERM or SIGINT."""
    import uvloop  # noqa: PLC0415 - only a process that runs it needs it

    uvloop.run(_run(settings, interval_s))
    return 0


async def _run(settings: CareSettings, interval_s: float) -> None:
    await run(settings, interval_s=interval_s, stopping=stop_event())


async def run(settings: CareSettings, *, interval_s: float, stopping: asyncio.Event) -> None:
    """Verify at each interval, with Temporal or without it; do scheduled care while it is there."""
    server = settings.temporal
    if server is None:
        log.warning("care_is_not_scheduled", reason="REFERRALS_TEMPORAL_ADDRESS is not set")
    caring = asyncio.create_task(_care(server, settings, stopping)) if server else None
    await verifier.run(settings.database_url, interval_s=interval_s, stopping=stopping)
    if caring is not None:
        # It may hang in a connection that is not answered.
        await asyncio.wait({caring}, timeout=SHUTDOWN_TIMEOUT.total_seconds())
        caring.cancel()


async def _care(server: TemporalServer, settings: CareSettings, stopping: asyncio.Event) -> None:
    """Serve the task queue of care until `stopping` is set; Temporal may be away meanwhile."""
    timeout_s = STATEMENT_TIMEOUT_S + ANSWER_GRACE_S
    async with Database.open(
        settings.database_url, pool_size=POOL_SIZE, command_timeout_s=timeout_s
    ) as database:
        stopped = asyncio.create_task(stopping.wait())
        while not stopped.done():
            try:
                client = await connect_to(server, lazy=False)
                await ensure_schedules(client, task_queue=settings.task_queue)
                async with build_care_worker(client, database, settings):
                    log.info("care_is_scheduled")
                    await stopped
            except (RuntimeError, RPCError) as fault:
                log.warning("care_waits", error=describe(fault))
                await asyncio.wait({stopped}, timeout=RECONNECT_BACKOFF_S)


def build_care_worker(client: Client, database: Database, settings: CareSettings) -> Worker:
    """Build the worker of scheduled care."""
    care = CareActivities(
        database,
        checkpoints=checkpoints_of(settings),
        kept_for=settings.kept_for,
    )
    return Worker(
        client,
        task_queue=care_queue(settings.task_queue),
        build_id=BUILD_ID,
        workflows=[CareWorkflow],
        activities=[care.verify_everything, care.check_hash_chain, care.let_go_of_what_is_old],
        workflow_runner=runner_for(client.data_converter),
        max_concurrent_activities=POOL_SIZE - 1,
        graceful_shutdown_timeout=SHUTDOWN_TIMEOUT,
    )


def checkpoints_of(settings: CareSettings) -> CheckpointStore | None:
    """Return where checkpoints are kept, or None."""
    if settings.checkpoint_directory is None or settings.checkpoint_key is None:
        return None
    key = settings.checkpoint_key.get_secret_value().encode()
    return CheckpointStore(directory=settings.checkpoint_directory, key=key)
