"""The floor of the HTTP API: a minimal application that inserts one row and answers."""

import asyncio
import os
from datetime import datetime
from typing import Final

import asyncpg
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.responses import RedirectResponse

from runtime.exit import exit_process

DESTINATION: Final = "https://book.example/signup"
CREATE_TABLE: Final = "create table floor (id text primary key, body text not null)"
_INSERT: Final = "insert into floor (id, body) values ($1, $2)"


class Amount(BaseModel):
    minor: int
    currency: str


class Deposit(BaseModel):
    event_id: str
    occurred_at: datetime
    player_id: str
    deposit_id: str
    amount: Amount
    payment_instrument: str
    ip: str


def build_app(pool: "asyncpg.Pool[asyncpg.Record]") -> FastAPI:
    app = FastAPI()

    @app.post("/deposits", status_code=202)
    async def deposit(body: Deposit) -> dict[str, str]:
        await pool.execute(_INSERT, body.event_id, body.model_dump_json())
        return {"event_id": body.event_id, "status": "accepted"}

    @app.get("/r/{click_id}")
    async def follow(click_id: str) -> RedirectResponse:
        await pool.execute(_INSERT, click_id, DESTINATION)
        return RedirectResponse(DESTINATION, 302)

    return app


async def main() -> None:
    """Serve until SIGTERM at FLOOR_PORT, on the database of FLOOR_DSN."""
    pool = await asyncpg.create_pool(os.environ["FLOOR_DSN"], min_size=10, max_size=10)
    config = uvicorn.Config(
        build_app(pool),
        port=int(os.environ["FLOOR_PORT"]),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
    exit_process(0)
