"""The commands about fraud: backtests of rule sets, links between players and their clusters."""

from pathlib import Path
from typing import Annotated

import typer

from cli.transactions import audit_actor
from runtime.command_line import (
    ActorOption,
    ReasonOption,
    exit_with,
    parse_player_id,
    read_settings,
)
from runtime.logs import configure_logging
from runtime.settings import DatabaseSettings

fraud = typer.Typer()
links = typer.Typer(no_args_is_help=True, help="Identity links between players.")
clusters = typer.Typer(no_args_is_help=True, help="Clusters of players that links join.")
fraud.add_typer(links, name="links")
fraud.add_typer(clusters, name="clusters")


@fraud.command("fraud-backtest")
def fraud_backtest(
    *,
    candidate: Annotated[
        str, typer.Option(help="A version, or a JSON file with weights and thresholds.")
    ],
    since: Annotated[
        str | None, typer.Option("--from", help="RFC 3339; by default 30 days before the end.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Exclusive; by default now.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report to this file.")
    ] = None,
    actor: ActorOption = None,
    reason: ReasonOption = "fraud-backtest",
) -> None:
    """Score stored snapshots by another rule set, and show what would change.

    The report of a version is stored, for its publication. Exits with 0, or 2 if it could not run.
    """
    from courier.commands import backtester

    settings = _database_settings()
    by = audit_actor(actor, reason)
    exit_with(
        backtester.main(
            settings, candidate, since=since, until=until, json_file=json_file, actor=by
        )
    )


@links.command()
def backfill(
    *,
    after: Annotated[
        str | None,
        typer.Option(
            parser=parse_player_id, help="Go on behind this player, as an earlier run printed it."
        ),
    ] = None,
) -> None:
    """Write the identity links of all facts that were routed before 0.3, and rebuild the clusters.

    Safe on a live system, and to run again. Held referrals of players whom this joins are scored
    again, and a case is opened for rewards that were credited already.
    """
    from courier.commands import linker

    exit_with(linker.backfill(_database_settings(), after=after or ""))


@clusters.command()
def rebuild() -> None:
    """Make the clusters of players that their identity links say, and print what was changed.

    Facts wait for it, some seconds for 200,000 linked players; it changes nothing that is right.
    """
    from courier.commands import linker

    exit_with(linker.rebuild(_database_settings()))


def _database_settings() -> DatabaseSettings:
    settings = read_settings(DatabaseSettings)
    configure_logging(settings.log_level)
    return settings
