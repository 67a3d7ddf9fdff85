"""An index by kind of what waits, so that news are found behind any number of invitations."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_deliveries_lane"
            " ON deliveries (kind, id) WHERE acknowledged_at IS NULL"
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP INDEX ix_deliveries_lane")
