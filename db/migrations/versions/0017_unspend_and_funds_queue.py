"""UNSPEND gives a spend back; referrals that wait for money have a place in a queue.

A trigger notes since when a referral waits, so that release 0.2 gives it a place, too. Each
statement may be repeated, because the first ones are committed before the indexes are made.
"""

# ruff: noqa: S608 - the functions are built from our own constants alone

from importlib import import_module
from typing import Final

from alembic import op

revision = "0017"
down_revision = "0015"

OWNERS: Final = import_module("db.migrations.versions.0013_guards_know_owners")
SPEND: Final = "WHEN 'spend' THEN 'available-,spent+'"
UNSPEND: Final = "WHEN 'unspend' THEN 'available+,spent-'"
ENDS: Final[str] = OWNERS.ENDS.replace(SPEND, f"{SPEND} {UNSPEND}")
MOVEMENTS: Final = (
    "'fund', 'defund', 'hold', 'release', 'void', 'reverse', 'owe', 'recover', 'reinstate',"
    " 'forgive', 'spend'"
)
CHECKS: Final = (
    ("movement", "movement IN ({})", MOVEMENTS),
    (
        "names_its_reward",
        "(movement IN ({})) = (reward_id IS NULL)",
        "'fund', 'defund', 'spend'",
    ),
)

NOTE_WAIT: Final = f"""
CREATE OR REPLACE FUNCTION note_wait_for_funds() RETURNS trigger
LANGUAGE plpgsql {OWNERS.SEARCH_PATH} AS $$
BEGIN
    NEW.awaits_funds_since := CASE WHEN NEW.awaits_funds THEN clock_timestamp() END;
    RETURN NEW;
END
$$
"""

CHECK_UNSPEND: Final = f"""
CREATE OR REPLACE FUNCTION check_unspend() RETURNS trigger
LANGUAGE plpgsql {OWNERS.SEARCH_PATH} AS $$
DECLARE
    left_minor numeric;
BEGIN
    -- The lock makes a second transaction count what this one has posted.
    PERFORM FROM players WHERE player_id = NEW.player_id FOR NO KEY UPDATE;
    SELECT coalesce(sum(CASE movement WHEN 'spend' THEN amount_minor ELSE -amount_minor END), 0)
      INTO left_minor
      FROM transfers
     WHERE player_id = NEW.player_id AND reference = NEW.reference AND currency = NEW.currency
       AND movement IN ('spend', 'unspend');
    IF left_minor < 0 OR NEW.reference IS NULL THEN
        RAISE EXCEPTION 'transfer % gives back more than was spent', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'unspend_within_its_spend';
    END IF;
    RETURN NULL;
END
$$
"""

TRIGGERS: Final = (
    "DROP TRIGGER IF EXISTS note_wait_for_funds ON referrals",
    """
    CREATE TRIGGER note_wait_for_funds BEFORE UPDATE OF awaits_funds ON referrals
    FOR EACH ROW WHEN (OLD.awaits_funds IS DISTINCT FROM NEW.awaits_funds)
    EXECUTE FUNCTION note_wait_for_funds()
    """,
    "DROP TRIGGER IF EXISTS unspend_within_its_spend ON transfers",
    """
    CREATE CONSTRAINT TRIGGER unspend_within_its_spend AFTER INSERT ON transfers
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.movement = 'unspend')
    EXECUTE FUNCTION check_unspend()
    """,
)

BACKFILL: Final = """
    UPDATE referrals SET awaits_funds_since = (
        SELECT max(at) FROM timeline
         WHERE referral_id = referrals.id AND timeline.stage = referrals.stage)
     WHERE awaits_funds AND awaits_funds_since IS NULL
"""

INDEXES: Final = (
    """
    CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_referrals_funds_queue
        ON referrals (campaign_id, awaits_funds_since, id) WHERE awaits_funds
    """,
    """
    CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_transfers_spends
        ON transfers (player_id, reference) WHERE movement IN ('spend', 'unspend')
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE referrals ADD COLUMN IF NOT EXISTS awaits_funds_since TIMESTAMPTZ")
    op.execute(OWNERS.CHECK_TRANSFER.replace(OWNERS.ENDS, ENDS))
    for name, rule, words in CHECKS:
        _replace_check(name, rule.format(f"{words}, 'unspend'"))
    for statement in (NOTE_WAIT, CHECK_UNSPEND, *TRIGGERS, BACKFILL):
        op.execute(statement)
    with op.get_context().autocommit_block():
        for index in INDEXES:
            op.execute(index)
        for name, _, _ in CHECKS:
            op.execute(f"ALTER TABLE transfers VALIDATE CONSTRAINT ck_transfers_{name}")
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP INDEX IF EXISTS ix_referrals_awaits_funds")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(
        "CREATE INDEX ix_referrals_awaits_funds ON referrals (campaign_id) WHERE awaits_funds"
    )
    op.execute("DROP INDEX ix_transfers_spends")
    for function in ("check_unspend", "note_wait_for_funds"):
        op.execute(f"DROP FUNCTION {function}() CASCADE")
    for name, rule, words in CHECKS:
        # Spends that were given back stay, and are not looked at.
        _replace_check(name, rule.format(words))
    op.execute(OWNERS.CHECK_TRANSFER)
    op.execute("ALTER TABLE referrals DROP COLUMN awaits_funds_since")


def _replace_check(name: str, rule: str) -> None:
    op.execute(f"ALTER TABLE transfers DROP CONSTRAINT IF EXISTS ck_transfers_{name}")
    op.execute(f"ALTER TABLE transfers ADD CONSTRAINT ck_transfers_{name} CHECK ({rule}) NOT VALID")
