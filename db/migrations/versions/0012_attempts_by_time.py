"""An index of the attribution log by time, so that its newest rows are found without the others."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_attributions_decided"
            " ON attributions (decided_at, signup_event_id)"
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP INDEX ix_attributions_decided")
