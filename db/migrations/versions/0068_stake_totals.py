"""Stakes of referees whose terms ask for them are added up by day, and bets of others wait nowhere.

A trigger adds up each bet in the transaction that records it, whichever release does. A bet is
added up if its player is counted; counting begins when a referral whose terms ask for stakes gets
its referee, with all bets recorded until then. A player's row in `staking_players` keeps the two
apart: whoever records a bet shares its lock, whoever begins to count holds it alone, and each looks
only then. Each statement may be repeated. Retention asks for no deliveries of bets any more.

A downgrade loses the totals, and an upgrade makes them again. Bets that were recorded meanwhile
have no deliveries, which `verify` of an earlier release reports as `facts_are_delivered`.
"""

from importlib import import_module
from typing import Final

from alembic import op

revision = "0068"
down_revision = "0067"

RETENTION: Final = import_module("db.migrations.versions.0067_ended_rows_let_go")
# Bets, which have no deliveries, are none that a referral lacks.
LET_GO_OF_DELIVERIES: Final[str] = RETENTION.DELIVERIES.replace(
    "f.heard_at < before", "f.heard_at < before AND f.kind <> 'wager'"
).replace("before, count(*)", "before, count(*) FILTER (WHERE f.kind <> 'wager')")

TABLES: Final = {
    "staking_players": """
        CREATE TABLE IF NOT EXISTS staking_players (
            player_id VARCHAR(64) NOT NULL,
            is_counted BOOLEAN DEFAULT false NOT NULL,
            CONSTRAINT pk_staking_players PRIMARY KEY (player_id)
        )
    """,
    "stake_totals": """
        CREATE TABLE IF NOT EXISTS stake_totals (
            player_id VARCHAR(64) NOT NULL,
            currency TEXT NOT NULL,
            day DATE NOT NULL,
            stakes BIGINT NOT NULL,
            minor NUMERIC NOT NULL,
            CONSTRAINT pk_stake_totals PRIMARY KEY (player_id, currency, day)
        )
    """,
}
ASKS_FOR_STAKES: Final = """
    CREATE OR REPLACE FUNCTION asks_for_stakes(terms JSONB) RETURNS boolean LANGUAGE sql IMMUTABLE
        RETURN coalesce(terms #>> '{rules,turnover}' IS NOT NULL
                        OR terms #>> '{rules,when}' LIKE '%"turnover.%', false)
"""
_TOTALS_OF: Final = """
    SELECT f.player_id, f.body #>> '{stake,currency}',
           CAST(f.occurred_at AT TIME ZONE 'UTC' AS date),
           count(*), sum(CAST(f.body #>> '{stake,minor}' AS numeric))
"""
COUNT_STAKES_OF: Final = f"""
    CREATE OR REPLACE FUNCTION count_stakes_of(player VARCHAR) RETURNS void LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM staking_players WHERE player_id = player AND is_counted) THEN
            RETURN;
        END IF;
        -- Waits for all that are recording a bet of the player.
        INSERT INTO staking_players AS known (player_id, is_counted) VALUES (player, true)
            ON CONFLICT (player_id) DO UPDATE SET is_counted = true WHERE NOT known.is_counted;
        IF FOUND THEN
            INSERT INTO stake_totals (player_id, currency, day, stakes, minor)
                {_TOTALS_OF} FROM facts f WHERE f.player_id = player AND f.kind = 'wager'
                 GROUP BY 1, 2, 3;
        END IF;
    END
    $$
"""  # noqa: S608 - made of constants
COUNT_REFEREE: Final = """
    CREATE OR REPLACE FUNCTION count_stakes_of_referee() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        PERFORM count_stakes_of(NEW.referee_id);
        RETURN NULL;
    END
    $$
"""
ADD_STAKES: Final = f"""
    CREATE OR REPLACE FUNCTION add_stakes() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        players VARCHAR[];
        counted VARCHAR[];
    BEGIN
        SELECT array_agg(DISTINCT player_id ORDER BY player_id) INTO players
          FROM new_rows WHERE kind = 'wager';
        IF players IS NULL THEN
            RETURN NULL;
        END IF;
        INSERT INTO staking_players (player_id)
            SELECT given.player_id FROM unnest(players) AS given (player_id)
             WHERE NOT EXISTS (SELECT FROM staking_players s WHERE s.player_id = given.player_id)
            ON CONFLICT DO NOTHING;
        -- A later statement sees what those committed who were waited for.
        WITH shared AS MATERIALIZED (
            SELECT player_id, is_counted FROM staking_players
             WHERE player_id = ANY(players) ORDER BY player_id FOR SHARE
        )
        SELECT array_agg(player_id) INTO counted FROM shared WHERE is_counted;
        IF counted IS NULL THEN
            RETURN NULL;
        END IF;
        INSERT INTO stake_totals AS known (player_id, currency, day, stakes, minor)
            {_TOTALS_OF} FROM new_rows f WHERE f.kind = 'wager' AND f.player_id = ANY(counted)
             GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            ON CONFLICT (player_id, currency, day) DO UPDATE
               SET stakes = known.stakes + excluded.stakes, minor = known.minor + excluded.minor;
        -- One row wakes the player's referral, however many bets were recorded at once.
        INSERT INTO inbox (player_id, kind, event_id)
            SELECT DISTINCT ON (player_id) player_id, kind, event_id FROM new_rows
             WHERE kind = 'wager' AND player_id = ANY(counted)
             ORDER BY player_id, occurred_at DESC, event_id DESC;
        RETURN NULL;
    END
    $$
"""  # noqa: S608 - made of constants
TRIGGERS: Final = {
    "add_stakes ON facts": """
        AFTER INSERT ON facts REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION add_stakes()
    """,
    "count_stakes_of_new_referee ON referrals": """
        AFTER INSERT ON referrals FOR EACH ROW
        WHEN (NEW.referee_id IS NOT NULL AND asks_for_stakes(NEW.terms))
        EXECUTE FUNCTION count_stakes_of_referee()
    """,
    "count_stakes_of_bound_referee ON referrals": """
        AFTER UPDATE OF referee_id ON referrals FOR EACH ROW
        WHEN (NEW.referee_id IS NOT NULL AND NEW.referee_id IS DISTINCT FROM OLD.referee_id
              AND asks_for_stakes(NEW.terms))
        EXECUTE FUNCTION count_stakes_of_referee()
    """,
}
"""Name and table of each trigger, and when it does what."""
FUNCTIONS: Final = {
    "asks_for_stakes(jsonb)": ASKS_FOR_STAKES,
    "count_stakes_of(varchar)": COUNT_STAKES_OF,
    "count_stakes_of_referee()": COUNT_REFEREE,
    "add_stakes()": ADD_STAKES,
}
# Referees bound before the triggers; one at a time, so that nobody waits for more than one.
COUNT_EARLIER: Final = """
    DO $$
    DECLARE
        referee VARCHAR;
    BEGIN
        FOR referee IN
            SELECT DISTINCT referee_id FROM referrals
             WHERE referee_id IS NOT NULL AND asks_for_stakes(terms)
        LOOP
            PERFORM count_stakes_of(referee);
            COMMIT;
        END LOOP;
    END
    $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    for table, statement in TABLES.items():
        op.execute(statement)
        op.execute(f"GRANT SELECT ON {table} TO {role}")
    for name, statement in FUNCTIONS.items():
        op.execute(statement)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION asks_for_stakes(jsonb) TO {role}")
    op.execute(LET_GO_OF_DELIVERIES)
    for name, statement in TRIGGERS.items():
        op.execute(f"DROP TRIGGER IF EXISTS {name}")
        op.execute(f"CREATE TRIGGER {name.split()[0]} {statement}")
    with op.get_context().autocommit_block():
        op.execute(COUNT_EARLIER)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(RETENTION.DELIVERIES)
    for name in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {name} CASCADE")
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
