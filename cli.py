"""The command `referrals`: one subcommand per process and per act of an operator."""

import asyncio
import getpass
import os
import traceback
from collections.abc import Callable, Coroutine
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from dotenv import load_dotenv
from pydantic import ValidationError

from runtime.logs import configure_logging, leave
from runtime.settings import DatabaseSettings, MigrationSettings, Settings

_Settings = TypeVar("_Settings", Settings, DatabaseSettings, MigrationSettings)

STACK = Path(".stack")
"""Where `up` keeps its state unless told otherwise."""

Acting = Annotated[
    str | None, typer.Option(help="Who does this, for the audit; otherwise the system's user.")
]
Why = Annotated[str, typer.Option(help="Recorded in the audit.")]

app = typer.Typer(no_args_is_help=True, add_completion=False)
keys = typer.Typer(no_args_is_help=True, help="API keys of the programs and people that call us.")
app.add_typer(keys, name="keys")


def main() -> None:
    """Run one command and leave with its exit code."""
    try:
        app()
    except SystemExit as ended:
        leave(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
    except Exception:  # noqa: BLE001 - the edge of the process
        traceback.print_exc()
    leave(1)


@app.command()
def up(
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget every earlier run first.")] = False,
    directory: Annotated[Path, typer.Option("--dir", help="Where to keep state.")] = STACK,
) -> None:
    """Run the whole system here until Ctrl-C."""
    run = _load("stack.foreground", "run")
    _finish(asyncio.run(run(directory, fresh=fresh)))


@app.command()
def demo() -> None:
    """Play one referral from click to reward on a stack of its own, and prove the result."""
    _finish(_load("sandbox.demo.main")())


@app.command()
def bench(
    lifecycles: Annotated[int, typer.Option(min=1, help="Referrals to play.")] = 200,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures there, too.")
    ] = None,
) -> None:
    """Measure throughput and latency beside the floor of the same run."""
    _finish(_load("sandbox.benchmarks.main")(lifecycles, json_file))


@app.command("attribution-eval")
def attribution_eval(
    *,
    journeys: Annotated[int, typer.Option(min=1, help="How many people sign up.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed plays the same journeys.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="That play, beside the database.")] = 2,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures there, too.")
    ] = None,
) -> None:
    """Play journeys with known truth, and show how many were attributed to it."""
    _finish(_load("sandbox.evaluation.main")(journeys, seed, processes, json_file))


@app.command()
def api() -> None:
    """Serve HTTP."""
    _serve("api.app")


@app.command()
def worker() -> None:
    """Run workflows and activities."""
    _serve("worker")


@app.command()
def courier() -> None:
    """Carry facts to workflows and events out."""
    _serve("courier.main")


@app.command()
def rebuild() -> None:
    """Start every open referral again in an empty Temporal."""
    _serve("courier.rebuild")


@app.command()
def verify() -> None:
    """Check what must always be true; non-zero when something is not."""
    _serve("referrals.verification.verify", DatabaseSettings)


@app.command()
def migrate() -> None:
    """Bring the schema up to date."""
    upgrade = _load("db.migrate", "upgrade")
    upgrade(_read(MigrationSettings).owner_database_url)


@keys.command("create")
def create_key(
    *,
    owner: Annotated[str, typer.Option(help="Who will use it; reviews record this name.")],
    scope: Annotated[list[str], typer.Option(help="May be given several times.")],
    actor: Acting = None,
    reason: Why = "no reason given",
) -> None:
    """Make a key and print it; it cannot be shown again."""
    refused = _load("referrals.access.api_keys", "complaint")(scope)
    if refused is not None:
        typer.echo(refused, err=True)
        _finish(2)
    create, by = _load("referrals.access.api_keys", "create_key"), _actor(actor, reason)
    typer.echo(
        _in_transaction(lambda session: create(session, owner=owner, scopes=scope, actor=by))
    )


@keys.command("revoke")
def revoke_key(key_id: UUID, *, actor: Acting = None, reason: Why = "no reason given") -> None:
    """End a key, by the id that `keys list` shows."""
    revoke, by = _load("referrals.access.api_keys", "revoke"), _actor(actor, reason)
    if not _in_transaction(lambda session: revoke(session, key_id, by)):
        typer.echo("no such key, or revoked before", err=True)
        _finish(1)


@keys.command("list")
def list_keys() -> None:
    """Show every key's id, owner, state and scopes."""
    for key in _in_transaction(_load("referrals.access.api_keys", "list_keys")):
        state = "revoked" if key.revoked_at else "valid"
        typer.echo(f"{key.id}  {key.owner}  {state}  {' '.join(key.scopes)}")


def _actor(name: str | None, reason: str) -> Any:  # noqa: ANN401
    return _load("referrals.access.audit", "Actor")(
        name=name or _system_user(), request_id=None, reason=reason
    )


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # A container may run under a number that has no name.
        return "operator"


def _in_transaction(act: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:  # noqa: ANN401
    async def run() -> Any:  # noqa: ANN401
        database = _load("db.engine", "Database")(_read(DatabaseSettings).database_url, pool_size=1)
        try:
            async with database.transaction() as session:
                return await act(session)
        finally:
            await database.close()

    return asyncio.run(run())


def _serve(module: str, needed: type[DatabaseSettings] = Settings) -> None:
    settings = _read(needed)
    configure_logging(settings.log_level)
    _finish(_load(module)(settings))


def _read(settings: type[_Settings]) -> _Settings:
    """From the environment; beside a running `referrals up`, from what that has written."""
    if "REFERRALS_DATABASE_URL" not in os.environ and load_dotenv(STACK / "environment"):
        typer.echo(f"on the embedded stack in {STACK}", err=True)
    try:
        return settings()
    except ValidationError as error:
        for fault in error.errors(include_input=False):
            name = "_".join(str(part) for part in fault["loc"])
            typer.echo(f"REFERRALS_{name.upper()}: {fault['msg']}", err=True)
        raise typer.Exit(2) from None


def _load(module: str, function: str = "main") -> Callable[..., Any]:
    # Each command imports only what it runs: production has no embedded servers.
    loaded: Callable[..., Any] = getattr(import_module(module), function)
    return loaded


def _finish(code: int) -> None:
    raise typer.Exit(code)


if __name__ == "__main__":
    main()
