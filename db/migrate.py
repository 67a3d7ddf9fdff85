"""Brings the schema to a revision, and back."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy.schema import SchemaItem

MIGRATIONS: Final = Path(__file__).parent / "migrations"
APPLICATION_ROLE: Final = "referrals_app"


def upgrade(url: str, *, application_role: str = APPLICATION_ROLE, revision: str = "head") -> None:
    """Upgrade and grant the application's role what it may do; not from inside an event loop.

    `url` is that of the schema's owner, with asyncpg.
    """
    command.upgrade(_config(url, application_role), revision)


def downgrade(url: str, revision: str, *, application_role: str = APPLICATION_ROLE) -> None:
    command.downgrade(_config(url, application_role), revision)


def is_ours(
    item: SchemaItem,
    name: str | None,
    kind: str,
    reflected: bool,
    _: SchemaItem | None,  # noqa: FBT001 - Alembic's signature
) -> bool:
    """Whether the models should know it; `outbox.xid` is for the relay alone."""
    only_in_database = reflected and kind == "column" and name == "xid"
    return not only_in_database


def _config(url: str, application_role: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    config.attributes["application_role"] = application_role
    return config
