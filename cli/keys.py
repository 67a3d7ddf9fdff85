"""The commands `referrals keys`: API keys of callers, and keys of the hashes of personal data."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cli.transactions import audit_actor, in_transaction
from runtime.command_line import (
    ActorOption,
    IdArgument,
    ReasonOption,
    exit_with,
    read_settings,
)
from runtime.hash_keys import HashKeySettings
from runtime.key_settings import KeySettings

LifetimeOption = Annotated[
    int | None, typer.Option(min=1, max=3650, help="Days until it expires; else it never does.")
]

keys = typer.Typer(no_args_is_help=True, help="API keys of callers, and hash keys.")


@keys.command("create")
def create_key(
    *,
    owner: Annotated[str, typer.Option(help="Name of the caller; reviews record it.")],
    scope: Annotated[list[str], typer.Option(help="Scope of the key; repeatable.")],
    source: Annotated[
        str, typer.Option(help="Source of its events, whose ids are apart from other sources'.")
    ] = "default",
    days: LifetimeOption = None,
    actor: ActorOption = None,
    reason: ReasonOption = "no reason given",
) -> None:
    """Create a key and print it, the only time that it is shown.

    Needs REFERRALS_KEYS_DATABASE_URL or REFERRALS_OWNER_DATABASE_URL, as `rotate` does.
    """
    from referrals.access import api_keys
    from referrals.access.people import name_error

    refused = api_keys.scope_error(scope) or name_error(owner) or api_keys.source_error(source)
    if refused is not None:
        typer.echo(refused, err=True)
        exit_with(2)
    by = audit_actor(actor, reason)
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    typer.echo(
        in_transaction(
            lambda session: api_keys.create_key(
                session, owner=owner, scopes=scope, source=source, actor=by, expires_at=expires_at
            ),
            url=read_settings(KeySettings).url,
        )
    )


@keys.command("rotate")
def rotate_key(
    key_id: IdArgument,
    *,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=8760, help="Hours for which both keys work.")
    ] = 24,
    actor: ActorOption = None,
    reason: ReasonOption = "no reason given",
) -> None:
    """Create a key like another one, which ends after the overlap; print the new one."""
    from referrals.access import api_keys

    by, overlap = audit_actor(actor, reason), timedelta(hours=overlap_hours)
    key = in_transaction(
        lambda session: api_keys.rotate_key(
            session, key_id, overlap=overlap, actor=by, now=datetime.now(UTC)
        ),
        url=read_settings(KeySettings).url,
    )
    if key is None:
        typer.echo("unknown key, or one that has ended or was rotated before", err=True)
        exit_with(1)
    typer.echo(key)


@keys.command("revoke")
def revoke_key(
    key_id: IdArgument, *, actor: ActorOption = None, reason: ReasonOption = "no reason given"
) -> None:
    """Revoke a key, by the id that `keys list` shows."""
    from referrals.access import api_keys

    by = audit_actor(actor, reason)
    if not in_transaction(lambda session: api_keys.revoke(session, key_id, by)):
        typer.echo("unknown key, or already revoked", err=True)
        exit_with(1)


@keys.command("list")
def list_keys() -> None:
    """Show every key's id, owner, state and scopes."""
    from referrals.access import api_keys

    for key in in_transaction(api_keys.list_keys):
        state = key.state(now=datetime.now(UTC))
        if state == "valid" and key.ends_at is not None:
            state = f"valid until {key.ends_at:%Y-%m-%d %H:%M}Z"
        source = "" if key.source == "default" else f"  source {key.source}"
        typer.echo(f"{key.id}  {key.owner}  {state}  {' '.join(key.scopes)}{source}")


@keys.command("rotate-hash")
def rotate_hash_key(
    *,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", help="State of a stopped embedded stack, whose key is replaced."),
    ] = None,
) -> None:
    """Make a new hash key, and print the variables to give to all processes.

    Facts are written with the new key and read with it and the earlier ones. Stored values are
    re-keyed as facts bring them again: `keys hash-versions` shows how far that is.
    """
    if directory is not None:
        from stack.state_directory import rotate_hash_key as rotate

        typer.echo(f"version {rotate(directory)} is used from the next start")
        return
    for name, value in read_settings(HashKeySettings).rotated().items():
        typer.echo(f"{name}={value}")


@keys.command("hash-versions")
def show_hash_versions() -> None:
    """Show how many values of players stand under each hash key, and when one was last used."""
    from referrals.fraud import rekeying

    for version in in_transaction(rekeying.count_versions):
        used = version.last_used_at.date()
        typer.echo(f"{version.name}  {version.values:,} values of players  last used {used}")
