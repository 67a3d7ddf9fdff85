"""Readers of the outbox: their cursors and leases, and positions that they can trust.

A row's position was the transaction that wrote it, which may be older than one that it waited for.
Now it is at least the newest transaction whose end its statement could see, so that events about
one referral, which are written under its lock, have positions in their own order.

Positions are those of one cluster, the row's epoch. Rows from before this migration are of epoch 0.
"""

from typing import Final

from alembic import op

revision = "0019"
down_revision = "0018"

EPOCH: Final = """
    CREATE FUNCTION outbox_epoch() RETURNS BIGINT LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT system_identifier FROM pg_catalog.pg_control_system())
"""
COLUMNS: Final = """
    ALTER TABLE outbox
        ADD COLUMN epoch BIGINT DEFAULT 0 NOT NULL,
        ALTER COLUMN xid SET DEFAULT greatest(
            pg_current_xact_id(),
            (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)::text::xid8
        )
"""
READERS: Final = """
    CREATE TABLE outbox_readers (
        name VARCHAR(64) NOT NULL,
        holder UUID NOT NULL,
        leased_until TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_outbox_readers PRIMARY KEY (name)
    )
"""
CURSORS: Final = """
    CREATE TABLE outbox_cursors (
        name VARCHAR(64) NOT NULL,
        epoch BIGINT NOT NULL,
        xid xid8 NOT NULL,
        seq BIGINT NOT NULL,
        advanced_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_outbox_cursors PRIMARY KEY (name, epoch),
        CONSTRAINT fk_outbox_cursors_name FOREIGN KEY (name) REFERENCES outbox_readers (name)
    )
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(EPOCH)
    op.execute(COLUMNS)
    op.execute("ALTER TABLE outbox ALTER COLUMN epoch SET DEFAULT outbox_epoch()")
    op.execute(READERS)
    op.execute(CURSORS)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON outbox_readers, outbox_cursors TO {_role()}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TABLE outbox_cursors")
    op.execute("DROP TABLE outbox_readers")
    op.execute(
        "ALTER TABLE outbox DROP COLUMN epoch, ALTER COLUMN xid SET DEFAULT pg_current_xact_id()"
    )
    op.execute("DROP FUNCTION outbox_epoch()")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
