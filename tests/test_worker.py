"""The worker as a process, while Temporal and Postgres are away."""

import asyncio
import os
import signal
import sys

import httpx
from temporalio import activity
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from stack import ports
from tests.builders import unique
from worker import build_worker
from workflows.case.workflow import CaseWorkflow
from workflows.runner import TURN_LIMIT_S, WORKFLOW_RUNNER

SETTINGS = {
    "REFERRALS_DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/none",
    "REFERRALS_HASH_KEY": "only for this test",
    "REFERRALS_TOKEN_KEY": "only for this test",
    "REFERRALS_PUBLIC_URL": "http://127.0.0.1",
}


async def test_says_what_it_waits_for_and_stops_although_temporal_is_away() -> None:
    asked = asyncio.Event()

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        writer.close()

    port, health_port = ports.find_free(), ports.find_free()
    environment = {
        **os.environ,
        **SETTINGS,
        "REFERRALS_TEMPORAL_ADDRESS": f"127.0.0.1:{port}",
        "REFERRALS_WORKER_METRICS_PORT": str(health_port),
    }
    async with await asyncio.start_server(hang_up, "127.0.0.1", port):
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "cli", "worker"),
            env=environment,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(90), _caller(health_port) as client:
            await asked.wait()
            alive = await client.get("/healthz")
            ready = await client.get("/readyz")
            metrics = await client.get("/metrics")
            worker.send_signal(signal.SIGTERM)
            assert await worker.wait() == 0

    assert alive.status_code == 200
    assert ready.status_code == 503
    assert ready.json()["dependencies"] == {
        "postgres": "unavailable",
        "temporal": "unavailable",
        "work": "starting",
    }
    assert metrics.status_code == 200
    assert "referrals_database_connections_in_use 0.0" in metrics.text


def _caller(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60)


@activity.defn
async def nothing() -> None: ...


async def test_a_turn_of_a_workflow_may_last_longer_than_the_sdk_allows(
    temporal_env: WorkflowEnvironment,
) -> None:
    plain = Worker(
        temporal_env.client,
        task_queue=unique("queue"),
        workflows=[CaseWorkflow],
        workflow_runner=WORKFLOW_RUNNER,
    )
    ours = build_worker(temporal_env.client, [nothing], task_queue=unique("queue"))

    # By the SDK's own name, which another release of it may change.
    limits = [vars(one._workflow_worker)["_deadlock_timeout_seconds"] for one in (plain, ours)]  # noqa: SLF001
    assert limits == [2, TURN_LIMIT_S]
