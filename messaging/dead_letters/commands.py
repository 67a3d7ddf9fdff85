"""The commands `referrals dlq`: list, show and replay what could not be read from Kafka.

Like those of cli/, each imports what it runs.
"""

from typing import Annotated

import typer

from runtime.command_line import ActorOption, ReasonOption, exit_with, read_settings, system_user
from runtime.settings import Settings

TopicOption = Annotated[
    str | None, typer.Option("--topic", help="Only records of this topic, one of events in.")
]
dlq = typer.Typer(no_args_is_help=True, help="Dead letters: records that could not be read.")


@dlq.command("list")
def list_letters(
    *,
    topic: TopicOption = None,
    replayed: Annotated[
        bool, typer.Option("--replayed", help="Also those that were replayed.")
    ] = False,
) -> None:
    """Print a line a letter: its id, what was done about it, when it was written, and the reason.

    Without --replayed only letters that are open.
    """
    from messaging.dead_letters.console import Console

    exit_with(Console(read_settings(Settings)).list(_topics(topic), with_replayed=replayed))


@dlq.command()
def show(letter_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Print one letter with its headers, key and value, as it came: it may hold personal data."""
    from messaging.dead_letters.console import Console

    exit_with(Console(read_settings(Settings)).show(letter_id))


@dlq.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...")] = None,
    *,
    topic: TopicOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Every open letter.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing.")] = False,
    actor: ActorOption = None,
    reason: ReasonOption = "no reason given",
) -> None:
    """Send letters through the door again, and print what became of each.

    Exits with 0 when each of them is stored now, 1 when one is refused again or unknown, 2 when it
    could not run. A letter that was replayed is left alone: replaying twice changes nothing.
    """
    from messaging.dead_letters.console import Console
    from referrals.access.audit import Actor
    from referrals.intake.contacts import mask_contacts

    if [bool(ids), topic is not None, everything].count(True) != 1:
        exit_with(2, "name letters by their ids, or give --topic, or --all")
    person = Actor(name=actor or system_user(), request_id=None, reason=mask_contacts(reason))
    console = Console(read_settings(Settings))
    if ids:
        exit_with(console.replay_named(ids, person, dry_run=dry_run))
    exit_with(console.replay_open(_topics(topic), person, dry_run=dry_run))


def _topics(named: str | None) -> tuple[str, ...]:
    from messaging import topics

    if named is None:
        return topics.INBOUND
    if named not in topics.INBOUND:
        exit_with(2, f"unknown topic; there are {', '.join(topics.INBOUND)}")
    return (named,)
