"""`referrals bench`: throughput, latency and cost, beside the floor of the same run."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
import uvloop
from rich.console import Console

from sandbox.benchmarks import backlog, ingest, lifecycles, reward_latency, temporal_cost
from sandbox.benchmarks.database_watcher import DatabaseWatcher
from sandbox.benchmarks.floors import Bench, run_floors
from sandbox.benchmarks.http_client import HttpClient
from sandbox.benchmarks.measurements import Measurement, table
from sandbox.benchmarks.traffic import open_campaigns
from stack import run_stack
from stack.clean import discard
from stack.temporal import NAMESPACE
from workflows.client import connect

DIRECTORY: Final = Path(".stack/bench")


def main(lifecycles: int, messages: int, json_file: Path | None = None) -> int:
    """Return 0 when everything could be measured, whether or not the targets were reached."""
    measurements = uvloop.run(_measure(lifecycles, messages))
    Console(width=130).print(table(measurements, title="referrals bench"))
    if json_file is not None:
        json_file.write_text(json.dumps([each.as_json() for each in measurements], indent=2))
    discard(DIRECTORY)
    return 0


async def _measure(count: int, messages: int) -> list[Measurement]:
    console = Console(stderr=True)
    async with _open_bench(console) as bench:
        await open_campaigns(bench.connection, bench.client)
        measurements: list[Measurement] = []
        console.print(f"{count} lifecycles")
        measurements += await lifecycles.measure(bench, count=count)
        console.print("crediting")
        measurements += await reward_latency.measure(bench)
        measurements += await reward_latency.measure_over_kafka(bench)
        console.print("events")
        measurements += await ingest.measure_events(bench)
        console.print(f"a backlog of {messages} messages")
        measurements += await backlog.measure(bench, messages=messages)
        console.print("cost")
        measurements += await temporal_cost.measure(bench)
        console.print("clicks")
        measurements += await ingest.measure_clicks(bench)
        return measurements


@asynccontextmanager
async def _open_bench(console: Console) -> AsyncIterator[Bench]:
    async with (
        run_stack(DIRECTORY, fresh=True, progress=console.print) as connection,
        run_floors(connection, logs=DIRECTORY / "logs") as floors,
    ):
        watcher_connection = await asyncpg.connect(connection.postgres_dsn)
        client = HttpClient(connection.api_url, key=connection.api_key)
        floor_client = HttpClient(floors.api_url)
        try:
            yield Bench(
                connection=connection,
                floors=floors,
                client=client,
                floor_client=floor_client,
                temporal=await connect(connection.temporal_address, namespace=NAMESPACE),
                watcher=DatabaseWatcher(watcher_connection),
            )
        finally:
            client.close()
            floor_client.close()
            await watcher_connection.close()
