"""The real service and the relay as child processes, to be frozen, killed and started."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from sandbox.sportsbook.polling import wait_until
from stack import ports
from tests import ROOT
from tests.fixtures.databases import DatabaseUrls

RELAY: Final = ROOT / "docs" / "integration" / "relay.py"
STARTED_WITHIN_S: Final = 90.0


@dataclass(slots=True)
class ChildProcess:
    command: tuple[str, ...]
    environment: Mapping[str, str]
    running: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        ours = {name: v for name, v in os.environ.items() if not name.startswith("REFERRAL")}
        self.running = await asyncio.create_subprocess_exec(
            *self.command, cwd=ROOT, env={**ours, **self.environment}, start_new_session=True
        )

    async def end(self, number: signal.Signals) -> int:
        """Send the signal, wait for the end, and return the exit code."""
        if self.running is None:
            return 0
        running, self.running = self.running, None
        if running.returncode is None:
            running.send_signal(number)
        return await running.wait()

    def send(self, number: signal.Signals) -> None:
        if self.running is not None:
            self.running.send_signal(number)


@dataclass(slots=True)
class Api(ChildProcess):
    """The process `referrals api`, on the same address after every restart."""

    url: str = ""

    async def start(self) -> None:
        await ChildProcess.start(self)
        async with httpx.AsyncClient(trust_env=False) as client:

            async def is_up() -> bool:
                try:
                    return (await client.get(f"{self.url}/healthz")).is_success
                except httpx.TransportError:
                    return False

            await wait_until(is_up, bool, what="the service up", within_s=STARTED_WITHIN_S)

    async def kill(self) -> None:
        await self.end(signal.SIGKILL)


@asynccontextmanager
async def real_api(urls: DatabaseUrls) -> AsyncIterator[Api]:
    port = ports.find_free()
    environment = {
        "REFERRALS_DATABASE_URL": urls.application,
        "REFERRALS_TEMPORAL_ADDRESS": "127.0.0.1:7233",
        "REFERRALS_HASH_KEY": "a key for tests, not a secret",
        "REFERRALS_TOKEN_KEY": "another key for tests",
        "REFERRALS_PUBLIC_URL": "https://refer.example",
        "REFERRALS_API_PORT": str(port),
        "REFERRALS_LOG_LEVEL": "ERROR",
    }
    command = (sys.executable, "-m", "cli", "api")
    api = Api(command, environment, url=f"http://127.0.0.1:{port}")
    await api.start()
    try:
        yield api
    finally:
        await api.kill()


@asynccontextmanager
async def relay(
    dsn: str, url: str, api_key: str, *, lease_s: float = 30
) -> AsyncIterator[ChildProcess]:
    """Run a relay, and stop it with SIGTERM in the end."""
    environment = {
        "OUTBOX_DSN": dsn,
        "OUTBOX_LEASE_S": str(lease_s),
        "REFERRAL_API_URL": url,
        "REFERRAL_API_KEY": api_key,
        "PYTHONPATH": str(ROOT / "client"),
    }
    program = ChildProcess((sys.executable, str(RELAY)), environment)
    await program.start()
    try:
        yield program
    finally:
        await program.end(signal.SIGTERM)
