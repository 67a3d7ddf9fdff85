"""The command `referrals`: one subcommand per process and per task of an operator.

Each command imports what it runs: production has no embedded servers.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer

from messaging.dead_letters.commands import dlq
from runtime.command_line import (
    STACK_DIRECTORY,
    ActorOption,
    ReasonOption,
    VersionOption,
    exit_with,
    read_settings,
    system_user,
)
from runtime.exit import exit_process
from runtime.logs import configure_logging
from runtime.settings import DatabaseSettings, MigrationSettings, Settings, WalletSettings

if TYPE_CHECKING:
    from db.engine import Session
    from referrals.access.audit import Actor

_Result = TypeVar("_Result")

app = typer.Typer(no_args_is_help=True, add_completion=False)
COULD_NOT_RUN = 2
"""Exit code of a command that could not do its work, such as without a database."""
keys = typer.Typer(no_args_is_help=True, help="API keys of callers.")
app.add_typer(keys, name="keys")
app.add_typer(dlq, name="dlq")
if find_spec("sandbox"):
    # The image of production has no simulations.
    from sandbox.commands import sandbox_commands

    app.add_typer(sandbox_commands)


def main() -> None:
    """Run one command and exit with its code."""
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
def api() -> None:
    """Serve the HTTP API and the links."""
    from api.app import main as serve

    _run_main(serve)


@app.command()
def worker() -> None:
    """Run workflows and activities."""
    from worker import main as work

    _run_main(work)


@app.command()
def courier() -> None:
    """Route facts and send deliveries to workflows."""
    from courier.main import main as carry

    _run_main(carry)


@app.command()
def rebuild(
    referral_id: Annotated[
        list[UUID] | None, typer.Argument(help="Only these, as `verify` names them.")
    ] = None,
) -> None:
    """Start every open referral again in an empty Temporal."""
    from courier.rebuild import main as start_again

    _run_main(partial(start_again, only=referral_id or None))


@app.command()
def verify(
    *,
    whole: Annotated[
        bool, typer.Option("--whole/--incremental", help="Everything, or what changed lately.")
    ] = True,
    every: Annotated[
        int | None, typer.Option(min=1, help="Go on, with so many seconds between two runs.")
    ] = None,
) -> None:
    """Check everything, or what changed since the last green run; store the result.

    Exits with 0 when every invariant holds, 1 when one is broken, 2 when it could not run.
    With --every it runs until it is stopped, and checks everything once a day, or more often where
    that takes little time.
    """
    from courier import verifier
    from courier.commands.verification_table import print_report

    settings = read_settings(DatabaseSettings)
    configure_logging(settings.log_level)
    if every is not None:
        exit_with(verifier.main(settings, interval_s=every))
    report = verifier.verify_once(settings, whole=whole)
    if isinstance(report, str):
        typer.echo(report, err=True)
        exit_with(2)
    else:
        print_report(report)
        exit_with(0 if report.ok else 1)


@app.command()
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
    audit_actor = _actor(actor, reason) if repair else None
    exit_with(reconciler.main(settings, since=since, until=until, repair_as=audit_actor))


@app.command("fraud-backtest")
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

    settings = read_settings(DatabaseSettings)
    configure_logging(settings.log_level)
    by = _actor(actor, reason)
    exit_with(
        backtester.main(
            settings, candidate, since=since, until=until, json_file=json_file, actor=by
        )
    )


@app.command()
def migrate() -> None:
    """Migrate the schema to the newest revision. It makes no campaign."""
    from db.migrate import upgrade

    upgrade(read_settings(MigrationSettings).owner_database_url)
    typer.echo("the schema is up to date; campaigns are made by POST /v1/campaigns")


@keys.command("create")
def create_key(
    *,
    owner: Annotated[str, typer.Option(help="Name of the caller; reviews record it.")],
    scope: Annotated[list[str], typer.Option(help="Scope of the key; repeatable.")],
    source: Annotated[
        str, typer.Option(help="Source of its events, whose ids are apart from other sources'.")
    ] = "default",
    actor: ActorOption = None,
    reason: ReasonOption = "no reason given",
) -> None:
    """Create a key and print it, the only time that it is shown."""
    from referrals.access import api_keys

    refused = api_keys.scope_error(scope) or api_keys.source_error(source)
    if refused is not None:
        typer.echo(refused, err=True)
        exit_with(2)
    audit_actor = _actor(actor, reason)
    typer.echo(
        _in_transaction(
            lambda session: api_keys.create_key(
                session, owner=owner, scopes=scope, source=source, actor=audit_actor
            )
        )
    )


@keys.command("revoke")
def revoke_key(
    key_id: UUID, *, actor: ActorOption = None, reason: ReasonOption = "no reason given"
) -> None:
    """Revoke a key, by the id that `keys list` shows."""
    from referrals.access import api_keys

    audit_actor = _actor(actor, reason)
    if not _in_transaction(lambda session: api_keys.revoke(session, key_id, audit_actor)):
        typer.echo("unknown key, or already revoked", err=True)
        exit_with(1)


@keys.command("list")
def list_keys() -> None:
    """Show every key's id, owner, state and scopes."""
    from referrals.access import api_keys

    for key in _in_transaction(api_keys.list_keys):
        state = "revoked" if key.revoked_at else "valid"
        source = "" if key.source == "default" else f"  source {key.source}"
        typer.echo(f"{key.id}  {key.owner}  {state}  {' '.join(key.scopes)}{source}")


def _run_main(process: Callable[[Settings], int]) -> None:
    settings = read_settings(Settings)
    configure_logging(settings.log_level)
    exit_with(process(settings))


def _actor(name: str | None, reason: str) -> "Actor":
    from referrals.access.audit import Actor

    return Actor(name=name or system_user(), request_id=None, reason=reason)


def _in_transaction(operation: "Callable[[Session], Awaitable[_Result]]") -> _Result:
    from db.engine import Database

    settings = read_settings(DatabaseSettings)

    async def run() -> _Result:
        async with (
            Database.open(settings.database_url) as database,
            database.transaction() as session,
        ):
            return await operation(session)

    return asyncio.run(run())


if __name__ == "__main__":
    main()
