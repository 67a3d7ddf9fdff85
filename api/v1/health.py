"""Liveness, readiness and metrics of a process."""

import asyncio
from datetime import timedelta
from typing import Final, Literal

import structlog
from fastapi import APIRouter, Depends, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from api.http.authorisation import requires
from api.http.dependencies import Config, Db
from api.http.openapi import problem_responses
from api.v1.schemas.fields import ResponseBody
from db.engine import Database
from db.faults import DATABASE_FAULTS, is_transient
from db.readiness import is_migrated

router = APIRouter(tags=["health"])
PROBE_TIMEOUT_S: Final = 1
"""Bounds each probe of /readyz, so that an orchestrator gets its answer in time."""

log = structlog.get_logger()


class Alive(ResponseBody):
    """The process answers requests."""

    status: Literal["ok"] = "ok"


class Dependencies(ResponseBody):
    """The state of the servers that the api uses."""

    postgres: Literal["ok", "unavailable", "not_migrated"]
    temporal: Literal["ok", "unavailable"]


class Readiness(ResponseBody):
    """Readiness of this process to receive requests."""

    status: Literal["ready", "not_ready"]
    dependencies: Dependencies


@router.get("/healthz")
async def show_alive() -> Alive:
    """Answer 200 while the process runs; no dependency is checked and no API key is needed."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready"}})
async def show_readiness(database: Db, settings: Config) -> Response:
    """Answer 200 when Postgres is reachable and migrated, 503 otherwise. Needs no API key.

    Temporal's state is reported and does not count: without it, facts are still recorded, and
    delivered later. Each probe takes at most one second.
    """
    postgres, temporal = await asyncio.gather(
        _probe_postgres(database), _probe_temporal(settings.temporal_address)
    )
    is_ready = postgres == "ok"
    readiness = Readiness(
        status="ready" if is_ready else "not_ready",
        dependencies=Dependencies(postgres=postgres, temporal=temporal),
    )
    return JSONResponse(readiness.model_dump(), 200 if is_ready else 503)


@router.get(
    "/metrics",
    dependencies=[Depends(requires("reports:read"))],
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {}}, "description": "Metrics in Prometheus' text format"},
        **problem_responses("unauthorized", "missing_scope"),
    },
)
async def show_metrics(request: Request) -> Response:
    """Return this process's counters and histograms in Prometheus' text format."""
    registry = request.app.state.metrics.registry
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


async def _probe_postgres(database: Database) -> Literal["ok", "unavailable", "not_migrated"]:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S), database.reading() as session:
            return "ok" if await is_migrated(session) else "not_migrated"
    except DATABASE_FAULTS as fault:
        log.warning(
            "postgres_unavailable", fault=type(fault).__name__, transient=is_transient(fault)
        )
        return "unavailable"


async def _probe_temporal(address: str) -> Literal["ok", "unavailable"]:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            client = await ServiceClient.connect(ConnectConfig(target_host=address, lazy=True))
            is_healthy = await client.check_health(timeout=timedelta(seconds=PROBE_TIMEOUT_S))
    except (RPCError, RuntimeError, OSError):
        return "unavailable"
    return "ok" if is_healthy else "unavailable"
