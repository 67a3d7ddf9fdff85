"""An index of deposits and chargebacks by the deposit's id, for the search of the console."""

from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_facts_deposit"
            " ON facts ((body ->> 'deposit_id')) WHERE (body ->> 'deposit_id') IS NOT NULL"
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP INDEX IF EXISTS ix_facts_deposit")
