"""A referral may have several reviews, one round after the other, of which one is open.

Alone in its revision, because its indexes are made without blocking writers.
"""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("""
            CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS uq_reviews_referral_id_round
                ON reviews (referral_id, round)
        """)
        op.execute("""
            CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS uq_reviews_open
                ON reviews (referral_id) WHERE status = 'open'
        """)
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE reviews DROP CONSTRAINT uq_reviews_referral_id")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    # The release before knows one review of a referral: the newest is what it would go on with.
    op.execute("""
        DELETE FROM reviews older USING reviews newer
         WHERE newer.referral_id = older.referral_id AND newer.round > older.round
    """)
    op.execute("ALTER TABLE reviews ADD CONSTRAINT uq_reviews_referral_id UNIQUE (referral_id)")
    op.execute("DROP INDEX uq_reviews_open")
    op.execute("DROP INDEX uq_reviews_referral_id_round")
