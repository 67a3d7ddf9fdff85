"""The commands about campaigns: offers from files, applied over HTTP, and simulations."""

from pathlib import Path
from typing import Annotated

import typer

from cli.transactions import audit_actor, in_transaction
from runtime.command_line import (
    COULD_NOT_RUN,
    STACK_DIRECTORY,
    ActorOption,
    ReasonOption,
    exit_with,
    read_settings,
)
from runtime.environment import ENV_PREFIX
from runtime.settings import ClientSettings, DatabaseSettings

campaigns = typer.Typer(no_args_is_help=True, help="Campaigns from files.")
simulating = typer.Typer()


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
    0, 1 for a campaign that is refused, 2 if it could not run. Then nothing is written, unless
    somebody changed a campaign after the plan, or the API went away: it names what was written.
    """
    from api.v1.campaigns import files

    exit_with(files.main(file, _service(directory), is_plan=plan))


@campaigns.command("shards")
def spread_budgets(
    slug: Annotated[str, typer.Argument(help="The campaign.")],
    shards: Annotated[int, typer.Argument(min=1, max=64, help="Shards; 1 for one row again.")],
    *,
    actor: ActorOption = None,
    reason: ReasonOption = "no reason given",
) -> None:
    """Spread a hot campaign's budgets over shards, so that its acts do not wait for one row.

    Only once every process is of release 0.3: one of 0.2 knows a part of such a budget, and defers
    referrals that the rest could pay. Run it again then, which wakes them. Exits with 0, 1 for an
    unknown campaign.
    """
    from referrals.campaigns import funding
    from referrals.campaigns.outcomes import TransitionOutcome

    by = audit_actor(actor, reason)
    outcome = in_transaction(lambda session: funding.spread_budgets(session, slug, shards, by))
    if outcome is TransitionOutcome.UNKNOWN:
        exit_with(1, f"there is no campaign {slug}")
    typer.echo(f"the budgets of {slug} are kept in {shards} shards")


def _service(directory: Path) -> tuple[str, str]:
    """Return the URL and the key of the API, which a running `up` has written down."""
    from api.v1.campaigns.files import service_of_stack

    settings = read_settings(ClientSettings, may_use_stack=False)
    if settings.api_url and settings.api_key:
        return settings.api_url, settings.api_key.get_secret_value()
    is_half = settings.api_url or settings.api_key
    found = None if is_half else service_of_stack(directory)
    if found is None:
        exit_with(COULD_NOT_RUN, f"set both {ENV_PREFIX}API_URL and {ENV_PREFIX}API_KEY")
    typer.echo(f"using the embedded stack in {directory}", err=True)
    return found


@simulating.command("campaign-simulate")
def campaign_simulate(
    slug: Annotated[str, typer.Argument(help="The campaign.")],
    *,
    version: Annotated[
        int | None, typer.Option(min=1, help="By default the proposal, or the live version.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="RFC 3339; by default 30 days before the end.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Exclusive; by default now.")] = None,
    tax_year_start: Annotated[
        str, typer.Option(envvar=f"{ENV_PREFIX}TAX_YEAR_START", help="Month and day.")
    ] = "01-01",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report to this file.")
    ] = None,
) -> None:
    """Replay the referrals invited in a time by a version of their campaign; write nothing.

    Prints what would have been paid, beside what stands today and what the live version would pay.
    Exits with 0, or 2 if it could not run.
    """
    from courier.commands import simulator

    asked = simulator.Asked(
        slug=slug, since=since, until=until, version=version, tax_year_start=tax_year_start
    )
    exit_with(simulator.main(read_settings(DatabaseSettings), asked, json_file=json_file))
