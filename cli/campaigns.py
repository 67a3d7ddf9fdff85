"""The commands `referrals campaigns`: offers that live in a repository, applied over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from runtime.command_line import STACK_DIRECTORY, exit_with, read_settings
from runtime.settings import ENV_PREFIX, ClientSettings

campaigns = typer.Typer(no_args_is_help=True, help="Campaigns from files.")
COULD_NOT_RUN = 2


@campaigns.callback()
def campaign_commands() -> None:
    """Campaigns from files."""


@campaigns.command("apply")
def apply_file(
    file: Annotated[Path, typer.Argument(help="YAML or JSON: a campaign, or a list of them.")],
    *,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print what would change, and change nothing.")
    ] = False,
    directory: Annotated[
        Path, typer.Option("--dir", help="State of the embedded stack, where no URL is set.")
    ] = STACK_DIRECTORY,
) -> None:
    """Print what a file changes of the stored campaigns, then write it as drafts and proposals.

    Nothing becomes live: another person publishes. The campaigns have the fields of
    POST /v1/campaigns. REFERRALS_API_URL and REFERRALS_API_KEY say where, and as whom. Exits with
    0, 1 for a campaign that is refused (then nothing is written), 2 if it could not run.
    """
    from api.v1.campaigns import files

    exit_with(files.main(file, _service(directory), is_plan=plan))


def _service(directory: Path) -> tuple[str, str]:
    """Return the URL and the key of the API, which a running `up` has written down."""
    from api.v1.campaigns.files import service_of_stack

    settings = read_settings(ClientSettings)
    if settings.api_url and settings.api_key:
        return settings.api_url, settings.api_key.get_secret_value()
    found = service_of_stack(directory)
    if found is None:
        exit_with(COULD_NOT_RUN, f"set {ENV_PREFIX}API_URL and {ENV_PREFIX}API_KEY")
    return found
