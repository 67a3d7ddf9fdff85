"""The account service, served on loopback from this process."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import uvicorn

from sandbox.sportsbook.accounts.app import build_app
from sandbox.sportsbook.accounts.faults import Faults
from sandbox.sportsbook.accounts.store import DATABASE, TABLES, AccountStore
from sandbox.sportsbook.services.connections import open_pool
from sandbox.sportsbook.services.provisioning import provision

TOKEN: Final = "token-of-the-sandbox"


@dataclass(frozen=True, slots=True)
class RunningAccounts:
    """The service's address, its store, and the faults that it is told to have."""

    url: str
    token: str
    store: AccountStore
    faults: Faults


@asynccontextmanager
async def run_accounts(
    superuser_dsn: str, *, name: str = DATABASE
) -> AsyncIterator[RunningAccounts]:
    """Serve the wallet's API on a free port of loopback until the context ends."""
    dsn = await provision(superuser_dsn, name, tables=TABLES)
    async with open_pool(dsn) as pool:
        store, faults = AccountStore(pool), Faults()
        app = build_app(store, faults, token=TOKEN)
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, log_level="critical", lifespan="off")
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield RunningAccounts(url, TOKEN, store, faults)
        finally:
            server.should_exit = True
            await serving
