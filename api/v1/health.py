"""Alive, ready, and measured."""

import asyncio
from datetime import timedelta
from typing import Final, Literal

import structlog
from fastapi import APIRouter, Depends, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from api.http.dependencies import Config, Db, requires
from api.http.openapi import problem_responses
from api.v1.schemas.health import Alive, Dependencies, Readiness
from db.engine import Database
from db.faults import DATABASE_FAULTS, is_transient
from db.readiness import is_migrated

router = APIRouter(tags=["health"])
PROBE_TIMEOUT_S: Final = 1

log = structlog.get_logger()


@router.get("/healthz")
async def show_alive() -> Alive:
    """The process answers; nothing else is asked."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready"}})
async def show_readiness(database: Db, settings: Config) -> Response:
    """Ready when Postgres is there and migrated: every door needs only that.

    Temporal being away is told, but facts are still accepted and kept for it.
    """
    postgres, temporal = await asyncio.gather(
        _probe_postgres(database), _temporal(settings.temporal_address)
    )
    ready = postgres == "ok"
    told = Readiness(
        status="ready" if ready else "not_ready",
        dependencies=Dependencies(postgres=postgres, temporal=temporal),
    )
    return JSONResponse(told.model_dump(), 200 if ready else 503)


@router.get(
    "/metrics",
    dependencies=[Depends(requires("reports:read"))],
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {}}, "description": "Prometheus' text format"},
        **problem_responses("unauthorized", "missing_scope"),
    },
)
async def show_metrics(request: Request) -> Response:
    """Requests by route and status, and how long they took."""
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


async def _temporal(address: str) -> Literal["ok", "unavailable"]:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            connected = await ServiceClient.connect(ConnectConfig(target_host=address, lazy=True))
            is_healthy = await connected.check_health(timeout=timedelta(seconds=PROBE_TIMEOUT_S))
    except (RPCError, RuntimeError, OSError):
        return "unavailable"
    return "ok" if is_healthy else "unavailable"
