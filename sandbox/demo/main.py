"""`referrals demo`: plays stories on a stack of its own and proves the result of each."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape

from sandbox.demo.closing_stories import closing_stories
from sandbox.demo.proofs import Proofs
from sandbox.demo.stories import STORIES, Story
from sandbox.demo.travelling_deposit import travelling_story
from sandbox.sportsbook.client import SportsbookClient, connect_sportsbook
from stack import Connection, run_stack
from stack.child import StartError
from stack.clean import discard
from stack.state_directory import AlreadyRunningError

DIRECTORY: Final = Path(".stack-demo")
NEXT_STEPS: Final = (
    "what to do next:",
    "  make up                      keeps the same system running, with the Temporal UI",
    "  docs/integration/trying.md   plays a referral by hand against it",
    "  docs/integration/README.md   connects a signup form, an app and your services",
)


def main() -> int:
    """Play the demo; return 0 when every proof holds, 1 otherwise or when the stack fails."""
    console = Console()
    try:
        return asyncio.run(_play(console))
    except (AlreadyRunningError, StartError) as fault:
        console.print(f"[red]{escape(str(fault))}[/]")
        return 1


async def _play(console: Console) -> int:
    proofs = Proofs(console)
    began = time.monotonic()
    async with run_stack(
        DIRECTORY, fresh=True, progress=lambda step: console.print(f"[dim]{escape(step)}[/]")
    ) as connection:
        await prove(connection, proofs, (*STORIES, travelling_story(connection)))
    proofs.conclude()
    if proofs.exit_code:
        console.print(f"The logs are in {DIRECTORY / 'logs'}")
    else:
        discard(DIRECTORY)
    console.print(f"[dim]in {time.monotonic() - began:.0f} s; every process is stopped[/]")
    console.print("\n".join(NEXT_STEPS), markup=False, highlight=False)
    return proofs.exit_code


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
