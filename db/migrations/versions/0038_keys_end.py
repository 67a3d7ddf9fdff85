"""Ends of API keys: when one expires, and when the key that replaces it ends it.

All three are written with the row and never change, so that the chain covers them.
"""

from typing import Final

from alembic import op

revision = "0038"
down_revision = "0037"

COLUMNS: Final = {
    "expires_at": "TIMESTAMP WITH TIME ZONE",
    "replaces": "UUID",
    "replaces_at": "TIMESTAMP WITH TIME ZONE",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for column, kind in COLUMNS.items():
        op.execute(f"ALTER TABLE api_keys ADD COLUMN {column} {kind}")
    op.execute(
        "ALTER TABLE api_keys"
        " ADD CONSTRAINT uq_api_keys_replaces UNIQUE (replaces),"
        " ADD CONSTRAINT fk_api_keys_replaces FOREIGN KEY (replaces) REFERENCES api_keys (id),"
        " ADD CONSTRAINT ck_api_keys_replaces_at"
        " CHECK ((replaces IS NULL) = (replaces_at IS NULL))"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for column in reversed(COLUMNS):
        op.execute(f"ALTER TABLE api_keys DROP COLUMN {column}")
