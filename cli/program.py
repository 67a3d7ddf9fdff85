"""The processes as commands, and the other rooms' commands beside them."""

import asyncio
import sys
import traceback
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from cli.campaigns import campaigns, simulating
from cli.checking import checking
from cli.console import console
from cli.fraud import fraud
from cli.keys import keys
from cli.players import players
from cli.warehouse import DEFAULT_FOLDER, AddressOption, reports_of, warehouse
from messaging.dead_letters.commands import dlq
from runtime.command_line import (
    COULD_NOT_RUN,
    STACK_DIRECTORY,
    VersionOption,
    exit_with,
    parse_id,
    read_settings,
)
from runtime.exit import exit_process
from runtime.garbage import settle_garbage
from runtime.logs import configure_logging
from runtime.settings import MigrationSettings, Settings
from runtime.traces.tracing import TracingMissingError, traced

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.add_typer(checking)
app.add_typer(console)
app.add_typer(fraud)
app.add_typer(players)
app.add_typer(simulating)
app.add_typer(campaigns, name="campaigns")
app.add_typer(keys, name="keys")
app.add_typer(dlq, name="dlq")
app.add_typer(warehouse, name="warehouse")
if find_spec("sandbox"):
    # The image of production has no simulations.
    from sandbox.commands import sandbox_commands

    app.add_typer(sandbox_commands)


def main() -> None:
    """Run one command and exit with its code."""
    if not all(map(is_text, sys.argv)):
        typer.echo("could not run: the arguments must be UTF-8", err=True)
        exit_process(COULD_NOT_RUN)
    try:
        app()
    except SystemExit as ended:
        exit_process(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
    except Exception as fault:  # noqa: BLE001 - the edge of the process
        # Imported late, as no command needs it that succeeds.
        from db.explanations import explain

        sentence = explain(fault)
        if sentence is not None:
            typer.echo(sentence, err=True)
            exit_process(COULD_NOT_RUN)
        traceback.print_exc()
    exit_process(1)


def is_text(argument: str) -> bool:
    """Return whether an argument was UTF-8: other bytes stand in it as unpaired surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in argument)


@app.callback()
def referrals(*, _: VersionOption = False) -> None:
    """Referrals of a sportsbook: one command per process and per task of an operator."""


@app.command()
def up(
    *,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the state of earlier runs first.")
    ] = False,
    directory: Annotated[
        Path, typer.Option("--dir", help="Where to keep state.")
    ] = STACK_DIRECTORY,
) -> None:
    """Run the whole system here until Ctrl-C."""
    from stack.foreground import run

    exit_with(asyncio.run(run(directory, fresh=fresh)))


@app.command()
def api(address: AddressOption = DEFAULT_FOLDER) -> None:
    """Serve the HTTP API and the links, with reports of the warehouse where it is a server."""
    settings, reports = _read_process_settings(), reports_of(address)
    from api.app import main as serve

    _run(partial(serve, settings, warehouse=reports), settings, "api")


@app.command()
def worker() -> None:
    """Run workflows and activities."""
    settings = _read_process_settings()
    from worker import main as work

    _run(partial(work, settings), settings, "worker")


@app.command()
def courier() -> None:
    """Route facts and send deliveries to workflows."""
    settings = _read_process_settings()
    from courier.main import main as carry

    _run(partial(carry, settings), settings, "courier")


@app.command()
def rebuild(
    referral_id: Annotated[
        list[UUID] | None,
        typer.Argument(parser=parse_id, help="Only these, as `verify` names them."),
    ] = None,
    *,
    restart: Annotated[
        bool, typer.Option(help="Terminate the workflows of these, and start them anew.")
    ] = False,
) -> None:
    """Start every open referral again in an empty Temporal."""
    if restart and not referral_id:
        raise typer.BadParameter("--restart needs the ids of referrals")
    settings = _read_process_settings()
    from courier.rebuild import main as start_again

    _run(
        partial(start_again, settings, only=referral_id or None, restart=restart),
        settings,
        "rebuild",
    )


@app.command()
def migrate() -> None:
    """Migrate the schema to the newest revision. It makes no campaign."""
    from db.migrate import newest_revision, upgrade

    upgrade(read_settings(MigrationSettings).owner_database_url)
    typer.echo(
        f"the schema is up to date, at revision {newest_revision()};"
        " campaigns are made by POST /v1/campaigns"
    )


def _read_process_settings() -> Settings:
    """Read the settings before the code of a process: a wrong one is named within a second."""
    settings = read_settings(Settings)
    configure_logging(settings.log_level)
    return settings


def _run(process: Callable[[], int], settings: Settings, name: str) -> None:
    settle_garbage()
    try:
        with traced(settings, process=name):
            code = process()
    except TracingMissingError as fault:
        exit_with(COULD_NOT_RUN, str(fault))
    exit_with(code)
