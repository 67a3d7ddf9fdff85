"""The commands about people's data: `referrals export`, `erase` and `retention`."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.transactions import audit_actor, in_transaction
from runtime.command_line import (
    ActorOption,
    PlayerArgument,
    ReasonOption,
    exit_with,
    parse_player_id,
    read_settings,
)
from runtime.settings import ErasureSettings
from runtime.tax_settings import TaxSettings

players = typer.Typer()
MIN_DAYS, MAX_DAYS = 60, 36_500
"""As in referrals/personal/retention.py, which is imported late."""


@players.command("export")
def export_player(player_id: PlayerArgument) -> None:
    """Print what is known about a player, as JSON."""
    from referrals.personal.export import export

    found = in_transaction(lambda session: export(session, player_id))
    typer.echo(json.dumps({"player_id": player_id, **found}, indent=2))
    exit_with(0 if any(found.values()) else 1)


@players.command("erase")
def erase_player(
    player_id: Annotated[
        str | None, typer.Argument(parser=parse_player_id, help="The player to erase.")
    ] = None,
    *,
    repeat: Annotated[
        bool,
        typer.Option("--repeat", help="Those whom a restore or a replay brought back."),
    ] = False,
    actor: ActorOption = None,
    reason: ReasonOption = "the player asked for it",
) -> None:
    """Erase a player's personal values for good; ids, times and money stay.

    Needs REFERRALS_OWNER_DATABASE_URL. Exits with 1 for a player that nothing is known about.
    """
    from courier.commands import erasing

    if (player_id is None) != repeat:
        exit_with(2, "give a player, or --repeat")
    settings = read_settings(ErasureSettings)
    exit_with(erasing.main(settings, player_id, actor=audit_actor(actor, reason)))


@players.command("tax-release")
def release_tax_year(
    player_id: PlayerArgument,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the audit.")],
    actor: ActorOption = None,
) -> None:
    """Let a player be credited beyond the yearly thresholds until the present tax year ends.

    What waits for it goes on. The same again changes nothing. The year begins on
    REFERRALS_TAX_YEAR_START, as for the other processes.
    """
    from referrals.campaigns.tax_years import release

    by, now = audit_actor(actor, reason), datetime.now(UTC)
    start = read_settings(TaxSettings).tax_year
    found = in_transaction(
        lambda session: release(session, player_id, by, at=now, tax_year_start=start)
    )
    typer.echo(
        f"{player_id}: the tax year of {found.begins_on} was released by {found.released_by}"
    )
    exit_with(0)


@players.command("retention")
def let_go_of_old_rows(
    *,
    days: Annotated[
        int | None,
        typer.Option(
            help="Age beyond which rows are let go of; else REFERRALS_RETENTION_DAYS.",
            min=MIN_DAYS,
            max=MAX_DAYS,
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Only this kind, also one that is kept otherwise; may be repeated."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
    actor: ActorOption = None,
    reason: ReasonOption = "retention",
) -> None:
    """Let go of clicks' hashes, sign-ins, links and more, kind by kind; money's proof stays.

    Prints the number of rows of each kind. The verifier does the same once a day.
    """
    from courier.commands import letting_go
    from runtime.care_settings import RetentionSettings

    settings, by = read_settings(RetentionSettings), audit_actor(actor, reason)
    try:
        kept_for = letting_go.asked_for(settings, days=days, kinds=kind or [])
    except ValueError as fault:
        exit_with(2, str(fault))
    exit_with(letting_go.main(settings, kept_for, is_dry=dry_run, actor=by))
