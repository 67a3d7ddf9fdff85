"""`referrals bench`: throughput, latency and cost, beside the floor of the same run."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
import uvloop
from rich.console import Console

from sandbox.benchmarks import cost, crediting, ingest, lifecycles
from sandbox.benchmarks.bench import Bench
from sandbox.benchmarks.bookmaker import open_campaigns
from sandbox.benchmarks.caller import Caller
from sandbox.benchmarks.figures import Figure, table
from sandbox.benchmarks.floors import floors
from sandbox.benchmarks.watch import Watch
from stack import run_stack
from stack.clean import discard
from workflows.client import connect

DIRECTORY: Final = Path(".stack/bench")


def main(lifecycles: int, json_file: Path | None = None) -> int:
    """0 when everything could be measured, whether or not the targets were reached."""
    figures = uvloop.run(_measure(lifecycles))
    Console(width=130).print(table(figures, title="referrals bench"))
    if json_file is not None:
        json_file.write_text(json.dumps([figure.plain() for figure in figures], indent=2))
    discard(DIRECTORY)
    return 0


async def _measure(count: int) -> list[Figure]:
    console = Console(stderr=True)
    async with _bench(console) as bench:
        await open_campaigns(bench.connection, bench.caller)
        figures: list[Figure] = []
        console.print(f"{count} lifecycles")
        figures += await lifecycles.measure(bench, count=count)
        console.print("crediting")
        figures += await crediting.measure(bench)
        console.print("events")
        figures += await ingest.measure_events(bench)
        console.print("cost")
        figures += await cost.measure(bench)
        console.print("clicks")
        figures += await ingest.measure_clicks(bench)
        return figures


@asynccontextmanager
async def _bench(console: Console) -> AsyncIterator[Bench]:
    async with (
        run_stack(DIRECTORY, fresh=True, progress=console.print) as connection,
        floors(connection, logs=DIRECTORY / "logs") as started,
    ):
        watching = await asyncpg.connect(connection.postgres_dsn)
        caller = Caller(connection.api_url, key=connection.api_key)
        floor_caller = Caller(started.api_url)
        try:
            yield Bench(
                connection=connection,
                floors=started,
                caller=caller,
                floor_caller=floor_caller,
                temporal=await connect(connection.temporal_address, namespace="default"),
                watch=Watch(watching),
            )
        finally:
            caller.close()
            floor_caller.close()
            await watching.close()
