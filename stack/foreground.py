"""`referrals up`: the embedded stack in a terminal, until Ctrl-C or SIGTERM."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from db.engine import Database
from referrals.access.audit import Actor
from referrals.access.console import people
from referrals.access.console.roles import Role
from runtime.exit import stop_event
from stack.child import StartError
from stack.embedded import run_stack
from stack.state_directory import CONNECTION_FILE, LOGS, AlreadyRunningError, Connection

OPERATOR: Final = "operator"
_ACTOR: Final = Actor(name="stack", request_id=None, reason="a start of a stack to try")


async def run(directory: Path, *, fresh: bool) -> int:
    """Run until SIGINT or SIGTERM; return 0 after a requested stop, 1 when the start fails."""
    console = Console()
    serving = asyncio.create_task(_serve(console, directory, fresh=fresh))
    # A second Ctrl-C changes nothing: stopping is bounded, and must keep its order.
    termination = asyncio.create_task(stop_event().wait())
    await asyncio.wait({serving, termination}, return_when=asyncio.FIRST_COMPLETED)
    serving.cancel()
    try:
        with suppress(asyncio.CancelledError):
            await serving
    except (AlreadyRunningError, StartError) as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    return 0


async def _serve(console: Console, directory: Path, *, fresh: bool) -> None:
    async with run_stack(directory, fresh=fresh, progress=_progress(console)) as connection:
        _show(console, connection, directory, link=await _console_link(connection))
        await asyncio.Event().wait()


def _progress(console: Console) -> Callable[[str], None]:
    began = time.monotonic()

    def print_step(step: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.1f} s[/dim]  {step}", highlight=False)

    return print_step


async def _console_link(connection: Connection) -> str:
    """Return an address that signs one person in to the console, once, as its administrator."""
    settings = connection.settings()
    async with Database.open(settings.database_url) as database, database.transaction() as session:
        token = await people.create_link(
            session, name=OPERATOR, role=Role.ADMIN, actor=_ACTOR, now=datetime.now(UTC)
        )
    return f"{connection.console_url}/sign-in?token={token}"


def _show(console: Console, connection: Connection, directory: Path, *, link: str) -> None:
    addresses = Table.grid(padding=(0, 2))
    addresses.add_row("API", connection.api_url)
    addresses.add_row("API reference", f"{connection.api_url}/docs")
    addresses.add_row("Temporal UI", connection.temporal_ui_url)
    addresses.add_row("Temporal", connection.temporal_address)
    addresses.add_row("Keys, PostgreSQL", str(directory / CONNECTION_FILE))
    addresses.add_row("Logs", str(directory / LOGS))
    console.print("[green]ready[/green], until Ctrl-C:")
    console.print(addresses, soft_wrap=True)
    console.print(f"Console, signing you in once:\n  {link}", soft_wrap=True, markup=False)
    console.print(next_steps(connection, directory), soft_wrap=True, markup=False, highlight=False)


def next_steps(connection: Connection, directory: Path) -> str:
    """Return commands that bring a first player and a first invitation, to be pasted."""
    file = directory / CONNECTION_FILE
    key = f'$(python3 -c \'import json; print(json.load(open("{file}"))["api_key"])\')'
    return "\n".join(
        (
            "what to do next, in another terminal:",
            f'  curl -s {connection.api_url}/v1/codes -H "Authorization: Bearer {key}" \\',
            """    -H 'Content-Type: application/json' -d '{"player_id": "ann"}'""",
            "  open the link of its answer in a browser; for curl it makes no invitation",
            "  .venv/bin/referrals sportsbook      many players, with events over Kafka",
            "  docs/integration/trying.md goes on from there: a signup, a deposit, a reward",
        )
    )
