"""Probe of Temporal for readiness."""

import asyncio
from datetime import timedelta
from typing import Final, Literal

from temporalio.service import RPCError, ServiceClient

from workflows.connection import TemporalServer, connect_service

PROBE_TIMEOUT_S: Final = 1
"""Bounds one probe, so that an orchestrator gets its answer in time."""

TemporalState = Literal["ok", "unavailable"]


class TemporalProbe:
    """Questions to Temporal whether it serves, over one client for the process's life."""

    def __init__(self, server: TemporalServer) -> None:
        self._server = server
        self._client: ServiceClient | None = None

    async def ask(self) -> TemporalState:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                client = await self._connect()
                is_healthy = await client.check_health(timeout=timedelta(seconds=PROBE_TIMEOUT_S))
        except (RPCError, RuntimeError, OSError):
            return "unavailable"
        return "ok" if is_healthy else "unavailable"

    async def _connect(self) -> ServiceClient:
        if self._client is None:
            self._client = await connect_service(self._server)
        return self._client
