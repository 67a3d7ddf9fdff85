"""The index of what funded a campaign, from which alerts know the whole budget."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_transfers_fundings"
            " ON transfers (campaign_id, currency) WHERE movement IN ('fund', 'defund')"
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP INDEX IF EXISTS ix_transfers_fundings")
