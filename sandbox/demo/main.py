"""`referrals demo`: plays stories on a stack of its own and proves how each must end."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape

from sandbox.demo.closing import closing
from sandbox.demo.proofs import Proofs
from sandbox.demo.stories import STORIES, Story
from sandbox.sportsbook.book import Book, connected
from stack import Connection, run_stack
from stack.child import StartError
from stack.clean import discard
from stack.state_directory import AlreadyRunningError

DIRECTORY: Final = Path(".stack-demo")


def main() -> int:
    """0 when every proof held, 1 when one did not or the stack could not be started."""
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
        await prove(connection, proofs, STORIES)
    proofs.conclude()
    if proofs.exit_code:
        console.print(f"The logs are in {DIRECTORY / 'logs'}")
    else:
        discard(DIRECTORY)
    console.print(f"[dim]in {time.monotonic() - began:.0f} s; everything is stopped again[/]")
    console.print("`make up` starts the same system and keeps it running, Temporal's pages too.")
    return proofs.exit_code


async def prove(connection: Connection, proofs: Proofs, stories: Sequence[Story]) -> None:
    """Play the stories, then look at the books and at Temporal's pages."""
    async with connected(
        connection.api_url,
        api_key=connection.api_key,
        approver_key=connection.approver_api_key,
    ) as book:
        for story in (*stories, *closing(connection)):
            await _tell(story, book, proofs)


async def _tell(story: Story, book: Book, proofs: Proofs) -> None:
    proofs.console.print(f"\n[bold]{escape(story.title)}[/]")
    try:
        await story.play(book, proofs)
    except Exception as fault:  # noqa: BLE001 - the other stories still have something to prove
        proofs.fault(fault)
