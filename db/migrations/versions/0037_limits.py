"""Places under the limits of campaigns: when a reward took its own, and who waits for one."""

from typing import Final

from alembic import op

revision = "0037"
down_revision = "0036"

REASONS: Final = (
    "'hold_period', 'review', 'ineligible', 'funds', 'payment_pending', 'payment_refused',"
    " 'switched_off'"
)
INDEXES: Final = {
    "ix_rewards_counted": "rewards (campaign_version_id, counted_at) WHERE counted_at IS NOT NULL",
    "ix_holds_limit": "holds (since, referral_id) WHERE reason = 'limit' AND cleared_at IS NULL",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE rewards ADD COLUMN IF NOT EXISTS counted_at TIMESTAMP WITH TIME ZONE")
    op.execute(f"GRANT UPDATE (counted_at) ON rewards TO {_role()}")
    _replace_reasons(f"{REASONS}, 'limit'")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE holds VALIDATE CONSTRAINT ck_holds_reason")
        for name, columns in INDEXES.items():
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {columns}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
    # Holds that name a limit stay, and are not looked at.
    _replace_reasons(REASONS)
    op.execute("ALTER TABLE rewards DROP COLUMN IF EXISTS counted_at")


def _replace_reasons(words: str) -> None:
    op.execute("ALTER TABLE holds DROP CONSTRAINT IF EXISTS ck_holds_reason")
    op.execute(
        f"ALTER TABLE holds ADD CONSTRAINT ck_holds_reason CHECK (reason IN ({words})) NOT VALID"
    )


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
