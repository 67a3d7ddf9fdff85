"""Rows are let go of by their birth as well: an end can be written late, and be said to be old.

The application's role writes when an entry was removed, a session ended and a delivery was carried.
A row that is younger than sixty days is kept, whatever those times say.
"""

from typing import Final

from alembic import op

revision = "0050"
down_revision = "0049"

KINDS: Final = {
    "sessions": (
        "FROM console_sessions s WHERE coalesce(s.ended_at, s.expires_at) < before",
        "AND s.created_at < before",
        """
        WITH let_go AS (
            DELETE FROM console_sessions
             WHERE token_hash IN (SELECT s.token_hash {old} LIMIT batch) RETURNING token_hash
        )
        """,
    ),
    "list_entries": (
        "FROM list_entries e WHERE coalesce(e.removed_at, e.expires_at) < before",
        "AND e.added_at < before",
        """
        WITH old AS (SELECT e.id {old} LIMIT batch),
        keys AS (DELETE FROM list_keys WHERE entry_id IN (SELECT id FROM old)),
        hits AS (DELETE FROM list_hits WHERE entry_id IN (SELECT id FROM old)),
        let_go AS (DELETE FROM list_entries WHERE id IN (SELECT id FROM old) RETURNING id)
        """,
    ),
    "case_deliveries": (
        """
        FROM case_deliveries d JOIN cases c ON c.id = d.case_id
         WHERE d.acknowledged_at < before AND c.status <> 'open'
        """,
        "AND d.created_at < before",
        """
        WITH let_go AS (
            DELETE FROM case_deliveries WHERE id IN (SELECT d.id {old} LIMIT batch) RETURNING id
        )
        """,
    ),
}
"""Of each kind, the rows that ended long ago, those that began as long ago, and how they go."""
FUNCTION: Final = """
    CREATE OR REPLACE FUNCTION let_go_of_{kind}(
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


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for kind, (ended, born, let_go) in KINDS.items():
        _replace(kind, f"{ended} {born}", let_go)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for kind, (ended, _, let_go) in KINDS.items():
        _replace(kind, ended, let_go)


def _replace(kind: str, old: str, let_go: str) -> None:
    """Replace a function; its rights stay."""
    op.execute(FUNCTION.format(kind=kind, old=old, let_go=let_go.format(old=old)))
