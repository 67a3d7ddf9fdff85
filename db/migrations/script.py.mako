"""${message}.

It runs in one transaction with a short lock timeout, so that a busy table fails the migration
and not the callers. An index on a table that lives is made without blocking writers:

    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ...")

A new CHECK or foreign key comes NOT VALID first and is validated in such a block, or in the next
revision. What stands before a block is committed by it: make each statement one that may be
repeated.
"""

from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    ${upgrades if upgrades else "raise NotImplementedError"}


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    ${downgrades if downgrades else "raise NotImplementedError"}
