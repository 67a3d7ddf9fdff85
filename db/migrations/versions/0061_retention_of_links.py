"""Letting go of identity links by kind; indexes of a player's facts and of the first strong links.

Links of a player with an open referral, with a reward that may still be taken back, or in an open
case are kept. Each statement outside the transaction may be repeated.
"""

# ruff: noqa: S608 - the functions are made of constants alone

from typing import Final

from alembic import op

revision = "0061"
down_revision = "0058"

KINDS: Final = (
    "device_id", "payment_instrument", "kyc_subject", "phone", "email", "full_name", "ip",
    "network", "email_domain",
)  # fmt: skip
INDEXES: Final = {
    "ix_identity_links_last_seen": "identity_links (kind, last_seen_at)",
    "ix_identity_links_first_strong": (
        "identity_links (kind, value, first_seen_at, player_id) WHERE is_strong"
    ),
    "ix_facts_player_time": "facts (player_id, kind, occurred_at)",
}
REPLACED: Final = {
    "ix_facts_player": "facts (player_id, kind)",
    "ix_identity_links_first_seen": "identity_links (kind, value, first_seen_at)",
}
_UNDECIDED: Final = "('INVITED', 'SIGNED_UP', 'HELD', 'DEFERRED', 'REWARDED')"
# Both sides of a referral, each by an index of its own.
_OLD: Final = f"""
    FROM identity_links l
     WHERE l.kind = '{{kind}}' AND l.last_seen_at >= since AND l.last_seen_at < before
       AND NOT EXISTS (
           SELECT FROM referrals r
            WHERE r.referrer_id = l.player_id AND (r.stage IN {_UNDECIDED} OR is_in_open_case(r.id))
       ) AND NOT EXISTS (
           SELECT FROM referrals r
            WHERE r.referee_id = l.player_id AND (r.stage IN {_UNDECIDED} OR is_in_open_case(r.id))
       )
"""
IN_OPEN_CASE: Final = """
    CREATE FUNCTION is_in_open_case(referral UUID) RETURNS boolean LANGUAGE sql STABLE
        SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT EXISTS (
            SELECT FROM case_referrals c JOIN cases ON cases.id = c.case_id
             WHERE c.referral_id = referral AND cases.status = 'open'
        )
    $$
"""
FUNCTION: Final = f"""
    CREATE FUNCTION let_go_of_links_{{kind}}(
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
            WITH old AS (
                SELECT l.value, l.player_id {_OLD} ORDER BY l.last_seen_at LIMIT batch
            ), let_go AS (
                DELETE FROM identity_links d USING old
                 WHERE d.kind = '{{kind}}' AND d.value = old.value
                   AND d.player_id = old.player_id AND d.last_seen_at < before
                RETURNING d.value
            ) SELECT count(*) INTO rows FROM let_go;
        END IF;
        RETURN rows;
    END
    $$
"""
ARGUMENTS: Final = "timestamptz, integer, boolean, timestamptz"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    _drop_functions()
    op.execute(IN_OPEN_CASE)
    _grant("is_in_open_case(uuid)", role)
    for kind in KINDS:
        op.execute(FUNCTION.format(kind=kind))
        _grant(f"let_go_of_links_{kind}({ARGUMENTS})", role)
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {columns}")
        for name in REPLACED:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for name, columns in REPLACED.items():
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
    _drop_functions()


def _grant(function: str, role: str) -> None:
    op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {role}")


def _drop_functions() -> None:
    for kind in KINDS:
        op.execute(f"DROP FUNCTION IF EXISTS let_go_of_links_{kind}({ARGUMENTS})")
    op.execute("DROP FUNCTION IF EXISTS is_in_open_case(uuid)")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
