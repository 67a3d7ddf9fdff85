"""`referrals sportsbook`: plays many players against the stack that runs in a directory."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sandbox.sportsbook.client import connect_sportsbook
from sandbox.sportsbook.lives import ENDS, Lives
from sandbox.sportsbook.services.running import run_services
from stack.state_directory import CONNECTION_FILE


def main(*, players: int, concurrency: int, seed: int, directory: Path) -> int:
    """Return 0 when every life ended as it should, 1 otherwise, 2 when no stack runs there."""
    console = Console()
    try:
        connection = json.loads((directory / CONNECTION_FILE).read_text())
    except FileNotFoundError:
        console.print(f"no stack runs in {directory}; `referrals up` starts one")
        return 2
    return asyncio.run(_play(console, connection, players, concurrency, seed))


async def _play(
    console: Console, connection: dict[str, Any], players: int, concurrency: int, seed: int
) -> int:
    began = time.monotonic()
    async with (
        connect_sportsbook(
            connection["api_url"],
            api_key=connection["api_key"],
            approver_key=connection["approver_api_key"],
        ) as sportsbook,
        run_services(
            connection["postgres_superuser_dsn"], connection["kafka_bootstrap_servers"]
        ) as services,
    ):
        lives = Lives(sportsbook, services, seed)
        await lives.play(players=players, concurrency=concurrency)
        wrong = await lives.wait_until_ended()
    console.print(_courses(lives))
    console.print(f"{players} players in {time.monotonic() - began:.1f} s")
    for line in wrong:
        console.print(f"[red]{line}[/red]", highlight=False)
    return 1 if wrong else 0


def _courses(lives: Lives) -> Table:
    table = Table("after the signup, the player", "lives", "each ends")
    counts = Counter(life.course for life in lives.begun)
    for course, (stage, _) in ENDS.items():
        table.add_row(course, str(counts[course]), stage)
    return table
