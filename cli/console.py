"""The commands about people of the console: an address that signs one in, and their sessions."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.transactions import audit_actor, in_transaction
from runtime.command_line import ActorOption, ReasonOption, exit_with, read_settings
from runtime.settings import ConsoleLinkSettings

console = typer.Typer()
sessions = typer.Typer(no_args_is_help=True, help="Sessions of people at the console.")
console.add_typer(sessions, name="console-sessions")


@console.command("console-link")
def console_link(
    *,
    role: Annotated[str, typer.Option(help="reviewer, marketer, support, auditor or admin.")],
    person: Annotated[str, typer.Option(help="Name of the person; approvals compare it.")],
    actor: ActorOption = None,
    reason: ReasonOption = "no reason given",
) -> None:
    """Print an address that signs a person in to the console once, within an hour."""
    from referrals.access.console import people
    from referrals.access.console.roles import Role
    from referrals.access.people import name_error

    settings = read_settings(ConsoleLinkSettings)
    if role not in set(Role):
        exit_with(2, f"{role} is not a role; the roles are {', '.join(Role)}")
    if (refused := name_error(person)) is not None:
        exit_with(2, refused)
    by = audit_actor(actor, reason)
    token = in_transaction(
        lambda session: people.create_link(
            session, name=person, role=Role(role), actor=by, now=datetime.now(UTC)
        )
    )
    typer.echo(f"{settings.public_url}/console/sign-in?token={token}")


@sessions.command("list")
def list_sessions() -> None:
    """Show who is signed in: name, role, since when and until when."""
    from referrals.access.console import sessions as of_people

    now = datetime.now(UTC)
    for found in in_transaction(lambda session: of_people.list_open(session, now=now)):
        since, until = (f"{at:%Y-%m-%d %H:%M}Z" for at in (found.began_at, found.expires_at))
        typer.echo(f"{found.name}  {found.role}  since {since}  until {until}")


@sessions.command("end")
def end_sessions(
    person: Annotated[str, typer.Argument(help="Name of the person, in any spelling.")],
    *,
    actor: ActorOption = None,
    reason: ReasonOption = "no reason given",
) -> None:
    """End all sessions of a person, and the sign-in links that were not used.

    Exits with 1 where there is none. Who signs in with an identity provider is stopped there.
    """
    from referrals.access.console import sessions as of_people

    by, now = audit_actor(actor, reason), datetime.now(UTC)
    ended = in_transaction(
        lambda session: of_people.end_of_person(session, person, actor=by, now=now)
    )
    if not ended:
        exit_with(1, f"{person} has neither a session nor an unused link")
    typer.echo(f"ended {ended}")
