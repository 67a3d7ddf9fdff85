"""Withdrawals as facts; assessments with rule set and outcomes; a campaign's signups by time."""

from typing import Final

from alembic import op

revision = "0031"
down_revision = "0030"

# Null for assessments of earlier releases, which go on writing them without.
COLUMNS: Final = {
    "rule_set": "VARCHAR(64)",
    "outcomes": "JSONB",
    "is_sampled": "BOOLEAN",
    "hold_s": "BIGINT",
}
KINDS: Final = "signup deposit chargeback wager player decision"
# Each column's words before, and the one that this release adds.
WORDS: Final = (
    ("facts", "kind", KINDS, "withdrawal"),
    ("inbox", "kind", KINDS, "withdrawal"),
    ("qualification_facts", "kind", KINDS, "withdrawal"),
    ("assessments", "verdict", "pass review block", "sample"),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table, column, words, added in WORDS:
        _check(table, column, f"{words} {added}")
    for name, kind in COLUMNS.items():
        op.execute(f"ALTER TABLE assessments ADD COLUMN IF NOT EXISTS {name} {kind}")
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_referrals_campaign_signups"
            " ON referrals (campaign_id, signed_up_at)"
        )
        for table, column, *_ in WORDS:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{column}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP INDEX ix_referrals_campaign_signups")
    for name in COLUMNS:
        op.execute(f"ALTER TABLE assessments DROP COLUMN {name}")
    # Rows with the added words stay; the checks are for new rows alone.
    for table, column, words, _ in WORDS:
        _check(table, column, words)


def _check(table: str, column: str, words: str) -> None:
    """Replace the check of a column's words without reading the table."""
    listed = ", ".join(f"'{word}'" for word in words.split())
    name = f"ck_{table}_{column}"
    op.execute(
        f"ALTER TABLE {table} DROP CONSTRAINT {name},"
        f" ADD CONSTRAINT {name} CHECK ({column} IN ({listed})) NOT VALID"
    )
