"""Liveness, readiness and metrics of a process."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Depends, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from api.http.authorisation import requires
from api.http.dependencies import Db
from api.http.openapi import problem_responses
from api.v1.schemas.fields import ResponseBody
from db.readiness import PostgresState, probe_postgres
from workflows.temporal_probe import TemporalState

router = APIRouter(tags=["health"])


class Alive(ResponseBody):
    """The process answers requests."""

    status: Literal["ok"] = "ok"


class Dependencies(ResponseBody):
    """The state of the servers that the api uses."""

    postgres: PostgresState
    temporal: TemporalState


class Readiness(ResponseBody):
    """Readiness of this process to receive requests."""

    status: Literal["ready", "not_ready"]
    dependencies: Dependencies


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def show_alive() -> Alive:
    """Answer 200 while the process runs; no dependency is checked and no API key is needed."""
    return Alive()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready"}})
async def show_readiness(request: Request, database: Db) -> Response:
    """Answer 200 when Postgres is reachable, migrated and takes writes, 503 otherwise.

    Needs no API key. Temporal's state is reported and does not count: without it, facts are still
    recorded, and delivered later. Each probe takes at most one second, and none waits for the
    connections of requests.
    """
    postgres, temporal = await asyncio.gather(
        probe_postgres(database), request.app.state.temporal_probe.ask()
    )
    is_ready = postgres == "ok"
    readiness = Readiness(
        status="ready" if is_ready else "not_ready",
        dependencies=Dependencies(postgres=postgres, temporal=temporal),
    )
    return JSONResponse(readiness.model_dump(), 200 if is_ready else 503)


@router.head("/metrics", include_in_schema=False, dependencies=[Depends(requires("reports:read"))])
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
