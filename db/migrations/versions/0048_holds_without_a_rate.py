"""Holds of referrals whose deposit has no exchange rate, and the index that finds them."""

from typing import Final

from alembic import op

revision = "0048"
down_revision = "0047"

REASONS: Final = (
    "'hold_period', 'review', 'ineligible', 'funds', 'payment_pending', 'payment_refused',"
    " 'switched_off', 'limit'"
)
INDEX: Final = """
    CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_holds_no_rate ON holds (since, referral_id)
     WHERE reason = 'no_rate' AND cleared_at IS NULL
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    _replace_reasons(f"{REASONS}, 'no_rate'")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE holds VALIDATE CONSTRAINT ck_holds_reason")
        op.execute(INDEX)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP INDEX IF EXISTS ix_holds_no_rate")
    # Holds of this reason stay, and are not looked at.
    _replace_reasons(REASONS)


def _replace_reasons(words: str) -> None:
    op.execute("ALTER TABLE holds DROP CONSTRAINT IF EXISTS ck_holds_reason")
    op.execute(
        f"ALTER TABLE holds ADD CONSTRAINT ck_holds_reason CHECK (reason IN ({words})) NOT VALID"
    )
