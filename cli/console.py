"""The command `referrals console-link`: an address that signs a person in to the console once."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.transactions import audit_actor, in_transaction
from runtime.command_line import ActorOption, ReasonOption, exit_with, read_settings
from runtime.settings import ConsoleLinkSettings

console = typer.Typer()


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

    settings = read_settings(ConsoleLinkSettings)
    if role not in set(Role):
        exit_with(2, f"{role} is not a role; the roles are {', '.join(Role)}")
    if (refused := people.name_error(person)) is not None:
        exit_with(2, refused)
    by = audit_actor(actor, reason)
    token = in_transaction(
        lambda session: people.create_link(
            session, name=person, role=Role(role), actor=by, now=datetime.now(UTC)
        )
    )
    typer.echo(f"{settings.public_url}/console/sign-in?token={token}")
