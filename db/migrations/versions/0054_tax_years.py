"""Tax years of players, the rewards that count in them, and holds of those that wait for a form."""

from typing import Final

from alembic import op

revision = "0054"
down_revision = "0057"

REASONS: Final = (
    "'hold_period', 'review', 'ineligible', 'funds', 'payment_pending', 'payment_refused',"
    " 'switched_off', 'limit', 'no_rate'"
)
TABLE: Final = """
    CREATE TABLE IF NOT EXISTS tax_years (
        player_id VARCHAR(64) NOT NULL,
        begins_on DATE NOT NULL,
        opened_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        released_at TIMESTAMP WITH TIME ZONE,
        released_by TEXT,
        CONSTRAINT pk_tax_years PRIMARY KEY (player_id, begins_on),
        CONSTRAINT ck_tax_years_released CHECK ((released_at IS NULL) = (released_by IS NULL))
    )
"""
INDEXES: Final = {
    "ix_rewards_taxed": "rewards (player_id, taxed_at) WHERE taxed_at IS NOT NULL",
    "ix_holds_tax": "holds (since, referral_id) WHERE reason = 'tax' AND cleared_at IS NULL",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    op.execute(TABLE)
    op.execute(f"GRANT SELECT, INSERT ON tax_years TO {role}")
    op.execute(f"GRANT UPDATE (released_at, released_by) ON tax_years TO {role}")
    op.execute("ALTER TABLE rewards ADD COLUMN IF NOT EXISTS taxed_at TIMESTAMP WITH TIME ZONE")
    op.execute(f"GRANT UPDATE (taxed_at) ON rewards TO {role}")
    _replace_reasons(f"{REASONS}, 'tax'")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE holds VALIDATE CONSTRAINT ck_holds_reason")
        for name, on in INDEXES.items():
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {on}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
    # Holds of this reason stay, and are not looked at.
    _replace_reasons(REASONS)
    op.execute("ALTER TABLE rewards DROP COLUMN taxed_at")
    op.execute("DROP TABLE tax_years")


def _replace_reasons(words: str) -> None:
    op.execute("ALTER TABLE holds DROP CONSTRAINT IF EXISTS ck_holds_reason")
    op.execute(
        f"ALTER TABLE holds ADD CONSTRAINT ck_holds_reason CHECK (reason IN ({words})) NOT VALID"
    )


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
