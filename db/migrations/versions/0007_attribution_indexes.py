"""Indexes of the attribution log and a check of the methods, without blocking who writes."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for column, name in (("player_id", "player"), ("referral_id", "referral")):
            op.execute(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_attributions_{name}"
                f" ON attributions ({column})"
            )
        op.execute("ALTER TABLE referrals VALIDATE CONSTRAINT ck_referrals_attribution_method")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP INDEX ix_attributions_player")
    op.execute("DROP INDEX ix_attributions_referral")
