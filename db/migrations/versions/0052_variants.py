"""Variants of a campaign's terms, and the one that a referral was promised."""

from alembic import op

revision = "0052"
down_revision = "0050"

# Null for none: such a column has no part in the hash chain, so that what it has stays as it is.
# The names of variants are compared by reports, never looked up: they have no index.


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE campaign_versions ADD COLUMN IF NOT EXISTS variants JSONB")
    op.execute("ALTER TABLE referrals ADD COLUMN IF NOT EXISTS variant VARCHAR(32)")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE referrals DROP COLUMN variant")
    op.execute("ALTER TABLE campaign_versions DROP COLUMN variants")
