"""Results of scheduled care, and functions by which the application lets go of what is old.

Each clears or deletes rows of one kind, which the application's role may not do itself, and only
those that are older than sixty days.
"""

# ruff: noqa: S608 - the functions are made of constants alone

from typing import Final

from alembic import op

revision = "0042"
down_revision = "0041"

TABLE: Final = """
    CREATE TABLE care_runs (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        kind VARCHAR(16) NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE NOT NULL,
        finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
        findings BIGINT,
        details JSONB DEFAULT '{}' NOT NULL,
        CONSTRAINT pk_care_runs PRIMARY KEY (id),
        CONSTRAINT ck_care_runs_findings CHECK (findings >= 0)
    )
"""
INDEX: Final = "CREATE INDEX ix_care_runs_kind ON care_runs (kind, id)"
_OPEN: Final = "('INVITED', 'SIGNED_UP', 'HELD', 'DEFERRED')"
# A touch that waits for its link in the hash chain is left: its salt would be made meanwhile. Those
# of players are kept until their erasure, since the chain asks for it.
_CLICKS: Final = f"""
    FROM touches t
     WHERE t.at < before AND t.player_id IS NULL
       AND (t.visitor IS NOT NULL OR t.ip IS NOT NULL OR t.user_agent IS NOT NULL
            OR t.device_id IS NOT NULL OR t.signals <> '{{}}' OR t.evidence <> '{{}}')
       AND NOT EXISTS (SELECT FROM referrals r WHERE r.id = t.referral_id AND r.stage IN {_OPEN})
       AND NOT EXISTS (SELECT FROM unlinked_rows u
                        WHERE u.relation = 'touches' AND u.row_key = cast(t.id AS text))
"""
_VISITORS: Final = f"""
    FROM referrals r
     WHERE r.visitor IS NOT NULL AND r.invited_at < before AND r.stage NOT IN {_OPEN}
"""
_SESSIONS: Final = "FROM console_sessions s WHERE coalesce(s.ended_at, s.expires_at) < before"
_LINKS: Final = "FROM console_links l WHERE l.expires_at < before"
KINDS: Final = {
    "clicks": (
        _CLICKS,
        f"""
        WITH old AS (SELECT t.id {_CLICKS} ORDER BY t.at LIMIT batch),
        let_go AS (
            UPDATE touches SET visitor = NULL, ip = NULL, user_agent = NULL, device_id = NULL,
                   signals = '{{}}', evidence = '{{}}'
             WHERE id IN (SELECT id FROM old) RETURNING 'touches/' || id AS subject
        ), salts AS (
            DELETE FROM subject_salts WHERE subject IN (SELECT subject FROM let_go)
        )
        """,
    ),
    "visitors": (
        _VISITORS,
        f"""
        WITH let_go AS (
            UPDATE referrals SET visitor = NULL
             WHERE id IN (SELECT r.id {_VISITORS} LIMIT batch FOR NO KEY UPDATE SKIP LOCKED)
            RETURNING id
        )
        """,
    ),
    "sessions": (
        _SESSIONS,
        f"""
        WITH let_go AS (
            DELETE FROM console_sessions
             WHERE token_hash IN (SELECT s.token_hash {_SESSIONS} LIMIT batch) RETURNING token_hash
        )
        """,
    ),
    "sign_in_links": (
        _LINKS,
        f"""
        WITH let_go AS (
            DELETE FROM console_links
             WHERE token_hash IN (SELECT l.token_hash {_LINKS} LIMIT batch) RETURNING token_hash
        )
        """,
    ),
}
"""Of each kind, the rows that are old, and how a batch of them is let go of."""
FUNCTION: Final = """
    CREATE FUNCTION let_go_of_{kind}(
        before timestamp with time zone, batch integer, is_dry boolean
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
            SELECT count(*) INTO rows {old};
        ELSE
            PERFORM set_config('referrals.erasing', 'on', true);
            {let_go} SELECT count(*) INTO rows FROM let_go;
            PERFORM set_config('referrals.erasing', '', true);
        END IF;
        RETURN rows;
    END
    $$
"""
ARGUMENTS: Final = "timestamp with time zone, integer, boolean"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    op.execute(TABLE)
    op.execute(INDEX)
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON care_runs"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(f"GRANT SELECT, INSERT ON care_runs TO {role}")
    for kind, (old, let_go) in KINDS.items():
        op.execute(FUNCTION.format(kind=kind, old=old, let_go=let_go))
        name = f"let_go_of_{kind}({ARGUMENTS})"
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {role}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for kind in KINDS:
        op.execute(f"DROP FUNCTION let_go_of_{kind}({ARGUMENTS})")
    op.execute("DROP TABLE care_runs")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
