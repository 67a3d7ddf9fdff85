"""`referrals demo`: plays stories on a stack of its own and proves the result of each."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape

from runtime.command_line import STACK_DIRECTORY
from runtime.logs import configure_logging
from sandbox.demo.closing_stories import closing_stories
from sandbox.demo.proofs import Proofs
from sandbox.demo.stories import STORIES, Story
from sandbox.demo.travelling_deposit import travelling_story
from sandbox.seeding.play import seed_past
from sandbox.sportsbook.client import SportsbookClient, connect_sportsbook
from stack import Connection, run_stack
from stack.child import StartError
from stack.state_directory import SECRETS_FILE, AlreadyRunningError

SPARE_DIRECTORY: Final = Path(".stack-demo")
"""Directory of the demo when the stack of `make up` has a life of its own."""


def main(*, referrals: int) -> int:
    """Play the demo; return 0 when every proof holds, 1 otherwise or when the stack fails.

    `referrals` is the number of invitations of the weeks before, which the console then shows.
    """
    configure_logging("WARNING")
    console = Console()
    try:
        return asyncio.run(_play(console, referrals))
    except (AlreadyRunningError, StartError) as fault:
        console.print(f"[red]{escape(str(fault))}[/]")
        return 1


async def _play(console: Console, referrals: int) -> int:
    proofs = Proofs(console)
    began = time.monotonic()
    directory = _directory()

    def progress(step: str) -> None:
        console.print(f"[dim]{escape(step)}[/]")

    async def seed(connection: Connection) -> None:
        progress(f"playing {referrals} referrals of the weeks before")
        await seed_past(
            connection.settings(),
            key=connection.api_key,
            approver_key=connection.approver_api_key,
            referrals=referrals,
        )

    async with run_stack(
        directory, fresh=True, progress=progress, prepare=seed if referrals else None
    ) as connection:
        await prove(connection, proofs, (*STORIES, travelling_story(connection)))
    proofs.conclude()
    if proofs.exit_code:
        console.print(f"The logs are in {directory / 'logs'}")
    console.print(f"[dim]in {time.monotonic() - began:.0f} s; every process is stopped[/]")
    console.print(_next_steps(directory, connection), markup=False, highlight=False, soft_wrap=True)
    return proofs.exit_code


def _directory() -> Path:
    """Return where to play: where `make up` finds it, unless a stack has been there before."""
    return SPARE_DIRECTORY if (STACK_DIRECTORY / SECRETS_FILE).exists() else STACK_DIRECTORY


def _next_steps(directory: Path, connection: Connection) -> str:
    is_found = directory == STACK_DIRECTORY
    up = "make up" if is_found else f".venv/bin/referrals up --dir {directory}"
    return "\n".join(
        (
            "what to do next:",
            f"  {up}",
            "    keeps the same system running, with all that was played, and prints a link that",
            f"    signs you in to its console, {connection.console_url}",
            "  docs/integration/trying.md   plays a referral by hand against it",
            "  docs/integration/README.md   connects a signup form, an app and your services",
        )
    )


async def prove(connection: Connection, proofs: Proofs, stories: Sequence[Story]) -> None:
    """Play the stories, then show the ledger and the Temporal UI."""
    async with connect_sportsbook(
        connection.api_url,
        api_key=connection.api_key,
        approver_key=connection.approver_api_key,
    ) as sportsbook:
        for story in (*stories, *closing_stories(connection)):
            await _play_story(story, sportsbook, proofs)


async def _play_story(story: Story, sportsbook: SportsbookClient, proofs: Proofs) -> None:
    proofs.console.print(f"\n[bold]{escape(story.title)}[/]")
    try:
        await story.play(sportsbook, proofs)
    except Exception as fault:  # noqa: BLE001 - one story's fault must not stop the others
        proofs.fault(fault)
