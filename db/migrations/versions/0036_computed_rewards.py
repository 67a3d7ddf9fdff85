"""Rewards whose amount is computed: how it was found, and what is due of it by now."""

# ruff: noqa: S608 - the function is built from our own constants alone

from typing import Final

from alembic import op

revision = "0036"
down_revision = "0035"


KEEP_FLAT_AMOUNTS: Final = """
CREATE FUNCTION keep_flat_amount() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'reward % is flat: its amount is what its terms promise', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'flat_reward_keeps_its_amount';
END
$$
"""
TRIGGER: Final = """
CREATE TRIGGER flat_reward_keeps_its_amount
BEFORE UPDATE OF computation, due_minor ON rewards FOR EACH ROW
WHEN (OLD.computation IS NULL
      AND (NEW.computation, NEW.due_minor) IS DISTINCT FROM (OLD.computation, OLD.due_minor))
EXECUTE FUNCTION keep_flat_amount()
"""


def _check_reward(most: str) -> str:
    """Return the guard of credits: no more stands credited of a reward than `most`."""
    return f"""
CREATE OR REPLACE FUNCTION check_reward() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    promised bigint;
    promised_currency text;
    credited numeric;
    strangers bigint;
BEGIN
    -- The lock makes a second transaction count what this one has posted.
    SELECT {most}, currency INTO STRICT promised, promised_currency
      FROM rewards WHERE id = NEW.reward_id FOR NO KEY UPDATE;
    SELECT coalesce(sum(CASE WHEN movement IN ('reverse', 'owe') THEN -amount_minor
                             ELSE amount_minor END), 0),
           count(*) FILTER (WHERE currency <> promised_currency)
      INTO credited, strangers
      FROM transfers
     WHERE reward_id = NEW.reward_id
       AND movement IN ('release', 'reinstate', 'forgive', 'reverse', 'owe');
    IF credited < 0 OR credited > promised OR strangers > 0 THEN
        RAISE EXCEPTION 'reward % of % would be credited % net', NEW.reward_id, promised, credited
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reward_credited_once';
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE rewards ADD COLUMN computation JSONB")
    op.execute("ALTER TABLE rewards ADD COLUMN due_minor BIGINT")
    op.execute(KEEP_FLAT_AMOUNTS)
    op.execute(TRIGGER)
    op.execute(f"GRANT UPDATE (computation, due_minor) ON rewards TO {_role()}")
    op.execute(_check_reward("greatest(amount_minor, due_minor)"))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(_check_reward("amount_minor"))
    op.execute("DROP FUNCTION keep_flat_amount() CASCADE")
    op.execute("ALTER TABLE rewards DROP COLUMN due_minor")
    op.execute("ALTER TABLE rewards DROP COLUMN computation")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
