"""The commands that check money: `referrals verify` and `referrals reconcile`."""

from typing import Annotated

import typer

from cli.transactions import audit_actor
from runtime.care_settings import CareSettings
from runtime.command_line import ActorOption, ReasonOption, exit_with, read_settings
from runtime.logs import configure_logging
from runtime.settings import DatabaseSettings, WalletSettings

checking = typer.Typer()


@checking.command()
def verify(
    *,
    whole: Annotated[
        bool | None,
        typer.Option(
            "--whole/--incremental",
            help="Everything, or what changed lately.",
            show_default="--whole",
        ),
    ] = None,
    every: Annotated[
        int | None, typer.Option(min=1, help="Go on, with so many seconds between two runs.")
    ] = None,
    chain: Annotated[
        bool, typer.Option("--chain", help="The hash chain and its checkpoints instead.")
    ] = False,
) -> None:
    """Check everything, or what changed since the last green run; store the result.

    Exits with 0 when every invariant holds, 1 when one is broken, 2 when it could not run.
    With --every it runs until it is stopped, and checks everything once a day, or more often where
    that takes little time. It also does the care that Temporal schedules, if it reaches Temporal.
    """
    if chain and (every is not None or whole is not None):
        raise typer.BadParameter("--chain takes neither --every nor --whole or --incremental")
    if every is not None and whole is not None:
        raise typer.BadParameter("--every chooses by itself between --whole and --incremental")
    from courier import verifier
    from courier.commands.verification_table import print_report

    if every is not None:
        from caretaker import main as care

        care_settings = read_settings(CareSettings)
        configure_logging(care_settings.log_level)
        exit_with(care(care_settings, interval_s=every))
    settings = read_settings(DatabaseSettings)
    configure_logging(settings.log_level)
    if chain:
        from courier.commands import chain_check

        exit_with(chain_check.main(settings))
    report = verifier.verify_once(settings, whole=whole is not False)
    if isinstance(report, str):
        typer.echo(report, err=True)
        exit_with(2)
    else:
        print_report(report)
        exit_with(0 if report.ok else 1)


@checking.command()
def reconcile(
    *,
    since: Annotated[
        str | None, typer.Option("--from", help="RFC 3339; by default before the first order.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Exclusive; by default now.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Repair what is safe.")] = False,
    actor: ActorOption = None,
    reason: ReasonOption = "reconcile --repair",
) -> None:
    """Compare rewards, ledger and wallet; exit with 0 if they agree, 1 if not, 2 if unknown."""
    from courier import reconciler

    settings = read_settings(WalletSettings)
    configure_logging(settings.log_level)
    repair_as = audit_actor(actor, reason) if repair else None
    exit_with(reconciler.main(settings, since=since, until=until, repair_as=repair_as))
