"""Transfers move money between their own books and owners; guards cannot be shadowed.

An entry's account belongs to the transfer's player or campaign, a reward's player is one of its
referral's pair, and the functions of the guards look up tables in `public` alone: a temporary table
of the same name no longer hides one from them, and the application's role can make none.
"""

# ruff: noqa: S608 - the functions are built from our own constants alone

from typing import Final

from alembic import op

revision = "0013"
down_revision = "0012"

GUARDS: Final = ("refuse_change", "check_transfer", "check_hold", "check_reward")
SEARCH_PATH: Final = "SET search_path = public, pg_temp"

# The arrows of each movement: the books that lose the amount, and those that receive it.
ENDS: Final = """
    CASE t.movement
        WHEN 'fund' THEN 'campaign+,funding-'
        WHEN 'defund' THEN 'campaign-,funding+'
        WHEN 'hold' THEN 'campaign-,held+'
        WHEN 'release' THEN 'available+,held-'
        WHEN 'void' THEN 'campaign+,held-'
        WHEN 'reverse' THEN 'available-,campaign+'
        WHEN 'owe' THEN 'owed-,recoverable+'
        WHEN 'recover' THEN 'available-,campaign+,owed+,recoverable-'
        WHEN 'reinstate' THEN 'available+,campaign-'
        WHEN 'forgive' THEN 'campaign+,campaign-,owed+,recoverable-'
        WHEN 'spend' THEN 'available-,spent+'
    END
"""

CHECK_TRANSFER: Final = f"""
CREATE OR REPLACE FUNCTION check_transfer() RETURNS trigger LANGUAGE plpgsql {SEARCH_PATH} AS $$
DECLARE
    checked uuid := CASE TG_TABLE_NAME WHEN 'transfers' THEN to_jsonb(NEW) ->> 'id'
                                       ELSE to_jsonb(NEW) ->> 'transfer_id' END;
    found record;
BEGIN
    SELECT count(e.id) AS ends, coalesce(sum(e.amount_minor), 0) AS total,
           bool_and(e.currency = t.currency AND abs(e.amount_minor) = t.amount_minor) AS alike,
           bool_and(CASE WHEN a.book IN ('campaign', 'recoverable')
                             THEN a.campaign_id = t.campaign_id
                         WHEN a.book = 'funding' THEN true
                         ELSE a.player_id = t.player_id END) AS owned,
           string_agg(a.book || CASE WHEN e.amount_minor < 0 THEN '-' ELSE '+' END, ','
                      ORDER BY a.book, e.amount_minor DESC) AS moved,
           min({ENDS}) AS expected
      INTO STRICT found
      FROM transfers t LEFT JOIN entries e ON e.transfer_id = t.id
           LEFT JOIN accounts a ON a.id = e.account_id
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
    ELSIF found.owned IS NOT TRUE THEN
        RAISE EXCEPTION 'an entry of transfer % is on an account of another owner', checked
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_keeps_to_its_owners';
    ELSIF found.moved IS DISTINCT FROM found.expected THEN
        RAISE EXCEPTION 'transfer % moves between % instead of %',
            checked, found.moved, found.expected
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_follows_its_arrows';
    END IF;
    RETURN NULL;
END
$$
"""

CHECK_REWARD_OWNER: Final = f"""
CREATE FUNCTION check_reward_owner() RETURNS trigger LANGUAGE plpgsql {SEARCH_PATH} AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM referrals
         WHERE id = NEW.referral_id
           AND NEW.player_id = CASE NEW.reward_type WHEN 'referrer' THEN referrer_id
                                                    ELSE referee_id END
    ) THEN
        RAISE EXCEPTION 'reward % is for %, who is not the % of its referral',
            NEW.id, NEW.player_id, NEW.reward_type
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reward_is_for_its_pair';
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(CHECK_TRANSFER)
    op.execute(CHECK_REWARD_OWNER)
    op.execute("""
        CREATE CONSTRAINT TRIGGER reward_is_for_its_pair AFTER INSERT ON rewards
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_reward_owner()
    """)
    for function in GUARDS:
        op.execute(f"ALTER FUNCTION {function}() {SEARCH_PATH}")
    _temporary_tables("REVOKE", "FROM")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP FUNCTION check_reward_owner() CASCADE")
    op.execute(CHECK_TRANSFER_BEFORE)
    for function in GUARDS:
        op.execute(f"ALTER FUNCTION {function}() RESET search_path")
    _temporary_tables("GRANT", "TO")


def _temporary_tables(act: str, preposition: str) -> None:
    # Everybody may make them unless told otherwise; who does not own the database is only warned.
    op.execute(f"""
        DO $$ BEGIN
            EXECUTE format('{act} TEMPORARY ON DATABASE %I {preposition} PUBLIC',
                           current_database());
        END $$
    """)


CHECK_TRANSFER_BEFORE: Final = """
CREATE OR REPLACE FUNCTION check_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
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
