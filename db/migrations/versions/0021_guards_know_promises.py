"""Guards of promises, owners, debts and signatures, also against a fault of the application.

A reward has the amount that its referral's terms promise, and its transfers have its player,
currency and campaign. No more of a debt is recovered or forgiven than is owed, and no budget moves
without its row in the audit. Runs of verification name the checks that looked at everything.
"""

# ruff: noqa: S608 - the functions are built from our own constants alone

from typing import Final

from alembic import op

revision = "0021"
down_revision = "0020"

SEARCH_PATH: Final = "SET search_path = public, pg_temp"

# Terms without such a key are of a later kind, which this guard does not know.
CHECK_REWARD_AMOUNT: Final = f"""
CREATE FUNCTION check_reward_amount() RETURNS trigger LANGUAGE plpgsql {SEARCH_PATH} AS $$
DECLARE
    promised jsonb;
BEGIN
    SELECT terms -> (NEW.reward_type || '_reward') INTO promised
      FROM referrals WHERE id = NEW.referral_id;
    IF promised IS NOT NULL
       AND (NEW.amount_minor, NEW.currency::text)
           IS DISTINCT FROM ((promised ->> 'minor')::bigint, promised ->> 'currency') THEN
        RAISE EXCEPTION 'reward % of % % is not what its terms promise',
            NEW.id, NEW.amount_minor, NEW.currency
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reward_is_what_was_promised';
    END IF;
    RETURN NULL;
END
$$
"""

CHECK_TRANSFER_OF_REWARD: Final = f"""
CREATE FUNCTION check_transfer_of_reward() RETURNS trigger
LANGUAGE plpgsql {SEARCH_PATH} AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM rewards w JOIN referrals r ON r.id = w.referral_id
         WHERE w.id = NEW.reward_id
           AND (w.player_id, w.currency, r.campaign_id)
             = (NEW.player_id, NEW.currency, NEW.campaign_id)
    ) THEN
        RAISE EXCEPTION 'transfer % is not of the player, currency and campaign of its reward',
            NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_is_of_its_reward';
    END IF;
    RETURN NULL;
END
$$
"""

CHECK_DEBT: Final = f"""
CREATE FUNCTION check_debt() RETURNS trigger LANGUAGE plpgsql {SEARCH_PATH} AS $$
DECLARE
    owed numeric;
BEGIN
    -- The lock makes a second transaction count what this one has posted.
    PERFORM FROM rewards WHERE id = NEW.reward_id FOR NO KEY UPDATE;
    SELECT coalesce(sum(CASE movement WHEN 'owe' THEN amount_minor ELSE -amount_minor END), 0)
      INTO owed
      FROM transfers
     WHERE reward_id = NEW.reward_id AND movement IN ('owe', 'recover', 'forgive');
    IF owed < 0 THEN
        RAISE EXCEPTION 'transfer % recovers or forgives more of reward % than is owed',
            NEW.id, NEW.reward_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'debt_is_owed';
    END IF;
    RETURN NULL;
END
$$
"""

# The audit row is written in the same transaction, which has one `now()`.
CHECK_FUNDING: Final = f"""
CREATE FUNCTION check_funding() RETURNS trigger LANGUAGE plpgsql {SEARCH_PATH} AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM audit a JOIN campaigns c ON a.subject = 'campaign:' || c.slug
         WHERE c.id = NEW.campaign_id AND a.at = now() AND a.actor <> '' AND a.reason <> ''
           AND (a.action = 'campaign.' || NEW.movement
                AND a.details ->> 'reference' = NEW.reference
                AND (a.details ->> 'minor')::bigint = NEW.amount_minor
                OR NEW.movement = 'fund' AND a.action = 'campaign.publish'
                AND NEW.reference = 'publish')
    ) THEN
        RAISE EXCEPTION 'transfer % moves a budget, and nobody signed it in the audit', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'funding_is_signed';
    END IF;
    RETURN NULL;
END
$$
"""

DEFERRED: Final = "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
TRIGGERS: Final = (
    f"""
    CREATE CONSTRAINT TRIGGER reward_is_what_was_promised AFTER INSERT ON rewards
    {DEFERRED} EXECUTE FUNCTION check_reward_amount()
    """,
    f"""
    CREATE CONSTRAINT TRIGGER transfer_is_of_its_reward AFTER INSERT ON transfers
    {DEFERRED} WHEN (NEW.reward_id IS NOT NULL) EXECUTE FUNCTION check_transfer_of_reward()
    """,
    f"""
    CREATE CONSTRAINT TRIGGER debt_is_owed AFTER INSERT ON transfers
    {DEFERRED} WHEN (NEW.movement IN ('recover', 'forgive')) EXECUTE FUNCTION check_debt()
    """,
    f"""
    CREATE CONSTRAINT TRIGGER funding_is_signed AFTER INSERT ON transfers
    {DEFERRED} WHEN (NEW.movement IN ('fund', 'defund')) EXECUTE FUNCTION check_funding()
    """,
)
FUNCTIONS: Final = (
    "check_reward_amount",
    "check_transfer_of_reward",
    "check_debt",
    "check_funding",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for function in (CHECK_REWARD_AMOUNT, CHECK_TRANSFER_OF_REWARD, CHECK_DEBT, CHECK_FUNDING):
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(trigger)
    op.execute("ALTER TABLE verify_runs ADD COLUMN looked_at_all TEXT[] NOT NULL DEFAULT '{}'")
    op.execute("CREATE INDEX ix_verify_runs_started ON verify_runs (started_at)")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP INDEX ix_verify_runs_started")
    op.execute("ALTER TABLE verify_runs DROP COLUMN looked_at_all")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}() CASCADE")
