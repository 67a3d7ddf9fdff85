"""Personal values of facts that no referral needs are let go of; orders are of their rewards.

A fact that is let go of keeps its ids, times and amounts: its id counts once, as before. A payment
order is of the player and currency of its reward, and of no more than a flat reward.

A downgrade loses `let_go_at`, which says that personal values of a fact were let go of: for
`verify` they are gone without a reason from then on, and for `verify --chain` each such fact that
was linked is changed, also after an upgrade.
"""

# ruff: noqa: S608 - the function is built from constants of this file alone

from typing import Final

from alembic import op

revision = "0063"
down_revision = "0064"

_PERSONAL: Final = """array[
    'ip', 'user_agent', 'device_id', 'email', 'phone', 'payment_instrument', 'kyc_subject',
    'full_name', 'code', 'cookie_token', 'locale', 'referral_token'
]"""
# A fact that waits for its route, or for its link in the hash chain, is left.
_OLD: Final = f"""
    FROM facts f
     WHERE f.heard_at >= since AND f.heard_at < before
       AND f.let_go_at IS NULL AND f.fingerprint <> 'erased'
       AND (f.body ?| {_PERSONAL} OR f.matching IS NOT NULL)
       AND NOT EXISTS (SELECT FROM referrals r WHERE r.referee_id = f.player_id)
       AND NOT EXISTS (SELECT FROM referrals r WHERE r.referrer_id = f.player_id)
       AND NOT EXISTS (SELECT FROM codes c WHERE c.player_id = f.player_id)
       AND NOT EXISTS (SELECT FROM inbox i WHERE i.player_id = f.player_id)
       AND NOT EXISTS (SELECT FROM unlinked_rows u
                        WHERE u.relation = 'facts' AND u.row_key = f.kind || '/' || f.event_id)
"""
LET_GO: Final = f"""
    CREATE FUNCTION let_go_of_facts(
        before timestamp with time zone, batch integer, is_dry boolean,
        since timestamp with time zone DEFAULT '-infinity'
    ) RETURNS bigint LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        rows bigint;
    BEGIN
        IF before > now() - interval '60 days' THEN
            RAISE EXCEPTION 'rows are kept for at least 60 days'
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF is_dry THEN
            SELECT count(*) INTO rows {_OLD};
        ELSE
            PERFORM set_config('referrals.erasing', 'on', true);
            WITH old AS (SELECT f.kind, f.event_id {_OLD} LIMIT batch FOR UPDATE SKIP LOCKED),
            let_go AS (
                UPDATE facts f SET body = f.body - {_PERSONAL}, matching = NULL,
                       fingerprint = 'erased', let_go_at = now()
                  FROM old WHERE f.kind = old.kind AND f.event_id = old.event_id
                RETURNING f.event_id
            ) SELECT count(*) INTO rows FROM let_go;
            PERFORM set_config('referrals.erasing', '', true);
        END IF;
        RETURN rows;
    END
    $$
"""
FUNCTION: Final = "let_go_of_facts(timestamptz, integer, boolean, timestamptz)"
CHECK_ORDER: Final = """
    CREATE FUNCTION check_payment_order() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM rewards w
             WHERE w.id = NEW.reward_id
               AND (w.referral_id, w.player_id, w.currency)
                 = (NEW.referral_id, NEW.player_id, NEW.currency)
               -- What is computed may rise after it was written, and is booked after it was asked.
               AND (w.computation IS NOT NULL
                    OR NEW.gross_minor <= greatest(w.amount_minor, w.due_minor))
        ) THEN
            RAISE EXCEPTION 'payment order % is not of its reward, or of more than it', NEW.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_order_is_of_its_reward';
        END IF;
        RETURN NULL;
    END
    $$
"""
TRIGGER: Final = """
    CREATE CONSTRAINT TRIGGER payment_order_is_of_its_reward AFTER INSERT ON payment_orders
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_payment_order()
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    op.execute("ALTER TABLE facts ADD COLUMN let_go_at TIMESTAMP WITH TIME ZONE")
    op.execute(LET_GO)
    op.execute(f"REVOKE ALL ON FUNCTION {FUNCTION} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {FUNCTION} TO {role}")
    op.execute(CHECK_ORDER)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP FUNCTION check_payment_order() CASCADE")
    op.execute(f"DROP FUNCTION {FUNCTION}")
    op.execute("ALTER TABLE facts DROP COLUMN let_go_at")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
