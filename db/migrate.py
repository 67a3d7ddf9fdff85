"""Migrations: upgrade and downgrade of the schema."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

MIGRATIONS: Final = Path(__file__).parent / "migrations"
APPLICATION_ROLE: Final = "referrals_app"


def upgrade(url: str, *, application_role: str = APPLICATION_ROLE, revision: str = "head") -> None:
    """Upgrade the schema and grant the application's role its rights; not inside an event loop.

    `url` is that of the schema's owner, postgresql+asyncpg://.
    """
    command.upgrade(_config(url, application_role), revision)


def newest_revision() -> str | None:
    """Return the revision that `upgrade` reaches: the end of the chain, not the largest number."""
    return ScriptDirectory(MIGRATIONS).get_current_head()


def downgrade(url: str, revision: str, *, application_role: str = APPLICATION_ROLE) -> None:
    command.downgrade(_config(url, application_role), revision)


def is_modelled(name: str | None, kind: str, _: object) -> bool:
    """Return whether db/tables/ must declare an object of the schema.

    `xid` is only for readers of the outbox, `clicks` for processes of version 0.1 that still run,
    and `ix_outbox_created` for retention, whose function has the same list of types.
    """
    return (kind, name) not in {
        ("column", "xid"),
        ("index", "ix_outbox_position"),
        ("index", "ix_outbox_created"),
        ("table", "clicks"),
    }


def _config(url: str, application_role: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    config.attributes["application_role"] = application_role
    return config
