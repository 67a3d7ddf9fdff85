"""Settings, options and exit codes that the operator's commands share."""

import getpass
import os
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from dotenv import load_dotenv
from pydantic import ValidationError

from runtime.care_settings import CareSettings
from runtime.environment import ENV_PREFIX
from runtime.hash_keys import HashKeySettings
from runtime.key_settings import KeySettings
from runtime.settings import (
    ClientSettings,
    ConsoleLinkSettings,
    DatabaseSettings,
    ErasureSettings,
    MigrationSettings,
    Settings,
    WalletSettings,
)
from runtime.version import VERSION

_Settings = TypeVar(
    "_Settings",
    Settings,
    CareSettings,
    ClientSettings,
    ConsoleLinkSettings,
    DatabaseSettings,
    ErasureSettings,
    HashKeySettings,
    KeySettings,
    MigrationSettings,
    WalletSettings,
)

NOT_CONFIGURED = "is not set; README.md has every setting"
STACK_DIRECTORY = Path(".stack")
"""Directory in which `up` keeps its state by default."""

ActorOption = Annotated[
    str | None, typer.Option("--actor", help="Recorded in the audit; default: the system user.")
]
VersionOption = Annotated[
    bool,
    typer.Option(
        "--version",
        callback=lambda is_asked: is_asked and exit_with_version(),
        is_eager=True,
        help="Show the version and exit.",
    ),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Recorded in the audit.")]


def read_settings(settings_type: type[_Settings]) -> _Settings:
    """Read settings from the environment, or from the file that a running `up` wrote."""
    if f"{ENV_PREFIX}DATABASE_URL" not in os.environ and load_dotenv(
        STACK_DIRECTORY / "environment"
    ):
        typer.echo(f"using the embedded stack in {STACK_DIRECTORY}", err=True)
    try:
        return settings_type()
    except ValidationError as error:
        for fault in error.errors(include_input=False):
            name = "_".join(str(part) for part in fault["loc"]).upper()
            is_missing = fault["type"] == "missing"
            message = NOT_CONFIGURED if is_missing else fault["msg"].removeprefix("Value error, ")
            # An error of several settings together names them in its sentence.
            typer.echo(f"{ENV_PREFIX}{name}: {message}" if name else message, err=True)
        raise typer.Exit(2) from None


def exit_with_version() -> NoReturn:
    typer.echo(f"referrals {VERSION}")
    raise typer.Exit


def system_user() -> str:
    """Return the name of the user who runs this command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # A container may run under a user id without a name.
        return "operator"


def exit_with(code: int, error: str = "") -> NoReturn:
    """End the command, with a sentence on standard error if there is one."""
    if error:
        typer.echo(error, err=True)
    raise typer.Exit(code)
