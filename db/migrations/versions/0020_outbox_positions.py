"""The index by which readers of the outbox find what follows their cursors."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_outbox_position ON outbox (epoch, xid, seq)"
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP INDEX IF EXISTS ix_outbox_position")
