"""Times by which reports find a period: small block-range indexes, which cost writers little."""

from typing import Final

from alembic import op

revision = "0040"
down_revision = "0039"

INDEXES: Final = {
    "ix_touches_at": "touches USING brin (at)",
    "ix_timeline_at": "timeline USING brin (at)",
    "ix_referrals_invited": "referrals USING brin (invited_at)",
    "ix_transfers_at": "transfers USING brin (at)",
    "ix_qualifications_met": "qualifications USING brin (met_at)",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {columns}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
