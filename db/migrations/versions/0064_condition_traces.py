"""Attempts keep how their campaign's condition was judged: each leaf with the value that it met.

A downgrade loses these values for good, and the hash chain covers them: each row that had one is
changed for `verify --chain` from then on, also after an upgrade.
"""

from alembic import op

revision = "0064"
down_revision = "0061"


def upgrade() -> None:
    # Null in earlier rows: the table is not rewritten, and no link of the hash chain changes.
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE qualifications ADD COLUMN condition_trace JSONB")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE qualifications DROP COLUMN condition_trace")
