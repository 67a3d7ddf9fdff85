"""Runs of verification, and indexes of what was written since one.

The indexes are made without blocking writers. They are block ranges: rows arrive in the order of
these times, so that a range costs a few bytes for many pages.
"""

from typing import Final

from alembic import op

revision = "0018"
down_revision = "0017"

INDEXES: Final = (
    ("ix_transfers_recorded", "transfers", "recorded_at"),
    ("ix_timeline_recorded", "timeline", "recorded_at"),
    ("ix_facts_heard", "facts", "heard_at"),
    ("ix_deliveries_created", "deliveries", "created_at"),
)
TABLE: Final = """
    CREATE TABLE verify_runs (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        mode VARCHAR(16) NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE NOT NULL,
        finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ok BOOLEAN NOT NULL,
        checks JSONB NOT NULL,
        lag JSONB NOT NULL,
        position TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_verify_runs PRIMARY KEY (id),
        CONSTRAINT ck_verify_runs_mode CHECK (mode in ('whole', 'incremental')),
        CONSTRAINT ck_verify_runs_ends CHECK (finished_at >= started_at)
    )
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, table, column in INDEXES:
            op.execute(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} USING brin ({column})"
            )
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(TABLE)
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON verify_runs"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(f"GRANT SELECT, INSERT ON verify_runs TO {_role()}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TABLE verify_runs")
    for name, _, _ in reversed(INDEXES):
        op.execute(f"DROP INDEX {name}")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
