"""An index of the devices that players signed up from, so that a reinstall is recognised."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_facts_signup_device"
            " ON facts ((body ->> 'device_id'))"
            " WHERE kind = 'signup'"
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP INDEX ix_facts_signup_device")
