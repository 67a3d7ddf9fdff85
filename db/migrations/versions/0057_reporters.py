"""Facts say by which request they came, and transfers who made them and by which request.

A downgrade loses these values for good, and the hash chain covers them: each row that had one is
changed for `verify --chain` from then on, also after an upgrade.
"""

from typing import Final

from alembic import op

revision = "0057"
down_revision = "0056"

COLUMNS: Final = (
    ("facts", "request_id"),
    ("transfers", "reported_by"),
    ("transfers", "request_id"),
)


def upgrade() -> None:
    # Null in earlier rows: no table is rewritten, and no link of the hash chain changes.
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table, column in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table, column in COLUMNS:
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
