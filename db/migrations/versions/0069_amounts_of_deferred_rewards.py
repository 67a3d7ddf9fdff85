"""The amount of a computed reward may follow its deposits until money was first reserved for it."""

from typing import Final

from alembic import op

revision = "0069"
down_revision = "0068"

KEEP_RESERVED_AMOUNT: Final = """
    CREATE OR REPLACE FUNCTION keep_reserved_amount() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
    BEGIN
        IF OLD.computation IS NULL OR OLD.status <> 'DEFERRED'
           OR EXISTS (SELECT FROM transfers WHERE reward_id = OLD.id) THEN
            RAISE EXCEPTION 'the amount of reward % is promised or was reserved', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'reserved_reward_keeps_its_amount';
        END IF;
        RETURN NEW;
    END
    $$
"""
TRIGGER: Final = """
    CREATE TRIGGER reserved_reward_keeps_its_amount
    BEFORE UPDATE OF amount_minor ON rewards FOR EACH ROW
    WHEN (NEW.amount_minor IS DISTINCT FROM OLD.amount_minor)
    EXECUTE FUNCTION keep_reserved_amount()
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(KEEP_RESERVED_AMOUNT)
    op.execute(TRIGGER)
    op.execute(f"GRANT UPDATE (amount_minor) ON rewards TO {_role()}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(f"REVOKE UPDATE (amount_minor) ON rewards FROM {_role()}")
    op.execute("DROP FUNCTION keep_reserved_amount() CASCADE")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
