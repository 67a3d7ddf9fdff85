"""Backends of Postgres that stop in the middle of their work."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text

from db.engine import ReadSession


@asynccontextmanager
async def frozen(*pids: int) -> AsyncIterator[None]:
    """Stop processes for a block: their connections stay open and answer nothing."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def backend_of(session: ReadSession) -> int:
    pid: int = (await session.execute(text("select pg_backend_pid()"))).scalar_one()
    return pid
