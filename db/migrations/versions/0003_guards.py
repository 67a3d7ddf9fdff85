"""Written once, and balanced: what the database refuses whoever asks.

It also adds `outbox.xid`, the writing transaction, so that a relay can read past those in flight.
"""

from typing import Final

from alembic import op

revision = "0003"
down_revision = "0002"

INSERT_ONLY: Final = (
    "facts",
    "timeline",
    "attributions",
    "campaign_versions",
    "transfers",
    "entries",
    "assessments",
    "audit",
    "outbox",
)

REFUSE_CHANGE: Final = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %, whose rows are only ever inserted', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END
$$
"""

CHECK_TRANSFER: Final = """
CREATE FUNCTION check_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked uuid := CASE TG_TABLE_NAME WHEN 'transfers' THEN to_jsonb(NEW) ->> 'id'
                                       ELSE to_jsonb(NEW) ->> 'transfer_id' END;
    found record;
BEGIN
    SELECT count(e.id) AS ends, coalesce(sum(e.amount_minor), 0) AS total,
           bool_and(e.currency = t.currency AND abs(e.amount_minor) = t.amount_minor) AS alike
      INTO STRICT found
      FROM transfers t LEFT JOIN entries e ON e.transfer_id = t.id
     WHERE t.id = checked;
    IF found.ends = 0 THEN
        RAISE EXCEPTION 'transfer % has no entries', checked
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_has_entries';
    ELSIF found.total <> 0 THEN
        RAISE EXCEPTION 'the entries of transfer % sum to %', checked, found.total
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_balances';
    ELSIF NOT found.alike THEN
        RAISE EXCEPTION 'the entries of transfer % move another amount or currency', checked
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_matches_entries';
    END IF;
    RETURN NULL;
END
$$
"""

CHECK_HOLD: Final = """
CREATE FUNCTION check_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM transfers
         WHERE id = NEW.resolves_hold_id AND movement = 'hold'
           AND (reward_id, amount_minor, currency, player_id, campaign_id)
             = (NEW.reward_id, NEW.amount_minor, NEW.currency, NEW.player_id, NEW.campaign_id)
    ) THEN
        RAISE EXCEPTION 'transfer % resolves no hold of its own reward and amount', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_resolves_its_hold';
    END IF;
    RETURN NULL;
END
$$
"""

CHECK_REWARD: Final = """
CREATE FUNCTION check_reward() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    promised bigint;
    promised_currency text;
    credited numeric;
    strangers bigint;
BEGIN
    -- The lock makes a second transaction count what this one has posted.
    SELECT amount_minor, currency INTO STRICT promised, promised_currency
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

DEFERRED: Final = "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
CONSTRAINTS: Final = (
    f"""
    CREATE CONSTRAINT TRIGGER transfer_balances AFTER INSERT ON transfers
    {DEFERRED} EXECUTE FUNCTION check_transfer()
    """,
    f"""
    CREATE CONSTRAINT TRIGGER entry_balances AFTER INSERT ON entries
    {DEFERRED} EXECUTE FUNCTION check_transfer()
    """,
    f"""
    CREATE CONSTRAINT TRIGGER transfer_resolves_its_hold AFTER INSERT ON transfers
    {DEFERRED} WHEN (NEW.resolves_hold_id IS NOT NULL) EXECUTE FUNCTION check_hold()
    """,
    f"""
    CREATE CONSTRAINT TRIGGER reward_credited_once AFTER INSERT ON transfers
    {DEFERRED}
    WHEN (NEW.movement IN ('release', 'reinstate', 'forgive', 'reverse', 'owe'))
    EXECUTE FUNCTION check_reward()
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE outbox ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id()")
    for function in (REFUSE_CHANGE, CHECK_TRANSFER, CHECK_HOLD, CHECK_REWARD):
        op.execute(function)
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for constraint in CONSTRAINTS:
        op.execute(constraint)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for function in ("refuse_change", "check_transfer", "check_hold", "check_reward"):
        op.execute(f"DROP FUNCTION {function}() CASCADE")
    op.execute("ALTER TABLE outbox DROP COLUMN xid")
