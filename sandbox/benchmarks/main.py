"""`referrals bench`: throughput, latency and cost, beside the floor of the same run."""

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import asyncpg
import uvloop
from rich.console import Console

from runtime.garbage import settle_garbage
from sandbox.benchmarks import (
    deliveries,
    ingest,
    lifecycles,
    reward_latency,
    temporal_cost,
)
from sandbox.benchmarks.brokers import BrokerKind, run_on
from sandbox.benchmarks.budgets import shards
from sandbox.benchmarks.database_watcher import DatabaseWatcher
from sandbox.benchmarks.floors import Bench, run_floors
from sandbox.benchmarks.growth import identity_links
from sandbox.benchmarks.growth import measure as growth
from sandbox.benchmarks.http_client import HttpClient
from sandbox.benchmarks.measurements import Measurement, table
from sandbox.benchmarks.streams import backlog, stakes
from sandbox.benchmarks.traffic import open_campaigns
from stack.child import StartError
from stack.clean import discard
from stack.kafka_jvm import MissingKafkaError
from stack.state_directory import AlreadyRunningError
from stack.temporal import NAMESPACE
from workflows.client import connect

DIRECTORY: Final = Path(".stack/bench")
BY_NAME: Final = frozenset({"growth", "deliveries"})
"""Parts that run only where they are named: each takes many minutes."""


Part = Callable[[Bench], Awaitable[list[Measurement]]]


def main(
    lifecycles: int,
    messages: int,
    json_file: Path | None = None,
    *,
    only: Collection[str] = (),
    broker: BrokerKind = BrokerKind.MOCK,
    open_referrals: int = 1_000_000,
    facts: int = 10_000_000,
) -> int:
    """Return 0 when everything could be measured, whether or not the targets were reached.

    `only` names the parts to measure, as `parts` calls them; where it is empty, all but those that
    are asked for by name. `broker` is the one under the stack. `open_referrals` and `facts` are
    what `growth` fills a database with.
    """
    filling = partial(growth.measure, open_referrals=open_referrals, facts=facts)
    measured = parts(lifecycles, messages) | {"growth": filling}
    if unknown := sorted(set(only) - measured.keys()):
        print(f"no part {', '.join(unknown)}: there are {', '.join(measured)}", file=sys.stderr)  # noqa: T201
        return 2
    named = only or (measured.keys() - BY_NAME)
    wanted = {name: part for name, part in measured.items() if name in named}
    try:
        measurements = uvloop.run(_measure(wanted, broker))
    except MissingKafkaError as missing:
        print(f"no Apache Kafka: {missing}", file=sys.stderr)  # noqa: T201
        return 2
    except (AlreadyRunningError, StartError) as fault:
        print(fault, file=sys.stderr)  # noqa: T201
        return 2
    title = f"referrals bench, Kafka: {broker}"
    Console(width=130).print(table(measurements, title=title))
    if json_file is not None:
        json_file.write_text(json.dumps([each.as_json() for each in measurements], indent=2))
    discard(DIRECTORY)
    return 0


def parts(count: int, messages: int) -> dict[str, Part]:
    """Return what is measured, in its order: `count` lifecycles, a backlog of `messages`."""
    return {
        "lifecycles": lambda bench: lifecycles.measure(bench, count=count),
        "crediting": reward_latency.measure,
        "kafka": reward_latency.measure_over_kafka,
        "events": ingest.measure_events,
        "backlog": lambda bench: backlog.measure(bench, messages=messages),
        "cost": temporal_cost.measure,
        "clicks": ingest.measure_clicks,
        "links": identity_links.measure,
        "budget": shards.measure,
        "stakes": stakes.measure,
        "deliveries": deliveries.measure,
    }


async def _measure(wanted: Mapping[str, Part], broker: BrokerKind) -> list[Measurement]:
    console = Console(stderr=True)
    async with _open_bench(console, broker) as bench:
        await open_campaigns(bench.connection, bench.client)
        measurements: list[Measurement] = []
        for name, part in wanted.items():
            console.print(name)
            # A full collection would stop all callers for 0.2 s.
            settle_garbage()
            measurements += await part(bench)
        return measurements


@asynccontextmanager
async def _open_bench(console: Console, broker: BrokerKind) -> AsyncIterator[Bench]:
    async with (
        run_on(broker, DIRECTORY, progress=console.print) as connection,
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
