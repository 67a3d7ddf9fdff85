"""The worker as a process, while Temporal is away."""

import asyncio
import os
import signal
import sys

from stack import ports

SETTINGS = {
    "REFERRALS_DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/none",
    "REFERRALS_HASH_KEY": "only for this test",
    "REFERRALS_TOKEN_KEY": "only for this test",
    "REFERRALS_PUBLIC_URL": "http://127.0.0.1",
}


async def test_stops_on_sigterm_although_temporal_is_away() -> None:
    asked = asyncio.Event()

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        writer.close()

    port = ports.find_free()
    async with await asyncio.start_server(hang_up, "127.0.0.1", port):
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "cli", "worker"),
            env={**os.environ, **SETTINGS, "REFERRALS_TEMPORAL_ADDRESS": f"127.0.0.1:{port}"},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(90):
            await asked.wait()
            worker.send_signal(signal.SIGTERM)
            assert await worker.wait() == 0
