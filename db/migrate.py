"""Brings the schema to a revision, and back."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config

MIGRATIONS: Final = Path(__file__).parent / "migrations"
APPLICATION_ROLE: Final = "referrals_app"


def upgrade(url: str, *, application_role: str = APPLICATION_ROLE, revision: str = "head") -> None:
    """Upgrade and grant the application's role what it may do; not from inside an event loop.

    `url` is that of the schema's owner, with asyncpg.
    """
    command.upgrade(_config(url, application_role), revision)


def downgrade(url: str, revision: str, *, application_role: str = APPLICATION_ROLE) -> None:
    command.downgrade(_config(url, application_role), revision)


def is_modelled(name: str | None, kind: str, _: object) -> bool:
    """Whether db/tables/ should know it.

    `outbox.xid` is for the relay alone, `clicks` for copies of version 0.1 that still run.
    """
    return (kind, name) not in {("column", "xid"), ("table", "clicks")}


def _config(url: str, application_role: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    config.attributes["application_role"] = application_role
    return config
