"""Settings, options and exit codes that the operator's commands share."""

import getpass
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar
from uuid import UUID

import typer
from dotenv import load_dotenv
from pydantic import ValidationError
from pydantic_settings import SettingsError

from domain.intake.facts import ID_PATTERN
from runtime.care_settings import CareSettings, RetentionSettings
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
from runtime.tax_settings import TaxSettings
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
    RetentionSettings,
    TaxSettings,
    WalletSettings,
)

NOT_CONFIGURED = "is not set; docs/settings.md has every setting"
COULD_NOT_RUN = 2
"""Exit code of a command that gave no answer; 0 and 1 are each command's own."""
STACK_DIRECTORY = Path(".stack")
"""Directory in which `up` keeps its state by default."""

QUOTED = re.compile('"([a-z_]+)"')
SENTENCES: Mapping[str, str] = {
    "missing": NOT_CONFIGURED,
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "bool_parsing": "must be true or false",
    "string_pattern_mismatch": "does not have the form that docs/settings.md shows",
    "path_not_file": "names a file that cannot be found",
    "json_invalid": "must be JSON, as docs/settings.md shows",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "string_too_short": "must have at least {min_length} characters",
    "too_short": "must have at least {min_length} characters",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
"""Sentences about a wrong setting, by the kind of its error."""


def parse_id(text: str) -> UUID:
    """Parse an id that a command was given; typer.BadParameter for another text."""
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(
            "must be an id such as 7c9e6679-7425-40de-944b-e07fc1f90ae7"
        ) from None


def parse_player_id(text: str) -> str:
    """Return a player's id as it is; typer.BadParameter for what no door takes as one."""
    if not ID_PATTERN.fullmatch(text):
        raise typer.BadParameter("must be 1 to 64 of the characters A-Z a-z 0-9 _ . : -")
    return text


IdArgument = Annotated[UUID, typer.Argument(parser=parse_id, metavar="ID")]
PlayerArgument = Annotated[
    str, typer.Argument(parser=parse_player_id, metavar="PLAYER_ID", help="The player's id.")
]
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


def read_settings(settings_type: type[_Settings], *, may_use_stack: bool = True) -> _Settings:
    """Read settings from the environment, or from the file that a running `up` wrote."""
    is_set = not may_use_stack or f"{ENV_PREFIX}DATABASE_URL" in os.environ
    if not is_set and load_dotenv(STACK_DIRECTORY / "environment"):
        typer.echo(f"using the embedded stack in {STACK_DIRECTORY}", err=True)
    try:
        return settings_type()
    except SettingsError as error:
        (name,) = QUOTED.findall(str(error))[:1] or ["?"]
        typer.echo(f"{ENV_PREFIX}{name.upper()}: {SENTENCES['json_invalid']}", err=True)
        raise typer.Exit(2) from None
    except ValidationError as error:
        for fault in error.errors(include_input=False):
            name = "_".join(str(part) for part in fault["loc"]).upper()
            message = _sentence_about(fault)
            # An error of several settings together names them in its sentence.
            typer.echo(f"{ENV_PREFIX}{name}: {message}" if name else message, err=True)
        raise typer.Exit(2) from None


def _sentence_about(fault: Mapping[str, Any]) -> str:
    known = SENTENCES.get(fault["type"])
    if known is None:
        return str(fault["msg"]).removeprefix("Value error, ")
    return known.format(**fault.get("ctx", {}))


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
