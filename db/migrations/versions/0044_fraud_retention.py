"""Functions by which the application lets go of old rows of the fraud rules and their cases."""

# ruff: noqa: S608 - the functions are made of constants alone

from typing import Final

from alembic import op

revision = "0044"
down_revision = "0043"

_LISTED: Final = "FROM list_entries e WHERE coalesce(e.removed_at, e.expires_at) < before"
_SHADOWS: Final = "FROM shadow_assessments s WHERE s.assessed_at < before"
_DELIVERIES: Final = """
    FROM case_deliveries d JOIN cases c ON c.id = d.case_id
     WHERE d.acknowledged_at < before AND c.status <> 'open'
"""
_MERGES: Final = "FROM cluster_merges m WHERE m.followed_at < before"
KINDS: Final = {
    "list_entries": (
        _LISTED,
        f"""
        WITH old AS (SELECT e.id {_LISTED} LIMIT batch),
        keys AS (DELETE FROM list_keys WHERE entry_id IN (SELECT id FROM old)),
        hits AS (DELETE FROM list_hits WHERE entry_id IN (SELECT id FROM old)),
        let_go AS (DELETE FROM list_entries WHERE id IN (SELECT id FROM old) RETURNING id)
        """,
    ),
    "shadow_assessments": (
        _SHADOWS,
        f"""
        WITH let_go AS (
            DELETE FROM shadow_assessments WHERE (assessment_id, rule_set) IN (
                SELECT s.assessment_id, s.rule_set {_SHADOWS} LIMIT batch
            ) RETURNING assessment_id
        )
        """,
    ),
    "case_deliveries": (
        _DELIVERIES,
        f"""
        WITH let_go AS (
            DELETE FROM case_deliveries WHERE id IN (SELECT d.id {_DELIVERIES} LIMIT batch)
            RETURNING id
        )
        """,
    ),
    "cluster_merges": (
        _MERGES,
        f"""
        WITH let_go AS (
            DELETE FROM cluster_merges WHERE id IN (SELECT m.id {_MERGES} LIMIT batch)
            RETURNING id
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
REFUSING: Final = """
    CREATE FUNCTION refuse_change_while_kept() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        -- The owner's functions delete what is no longer kept, and say so.
        IF TG_OP = 'DELETE' AND current_setting('referrals.erasing', true) = 'on'
                AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class
                                     WHERE oid = TG_RELID) THEN
            RETURN NULL;
        END IF;
        RAISE EXCEPTION '% on %, whose rows are only ever inserted', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
    END
    $$
"""
KEPT_FOR_A_TIME: Final = ("list_keys", "list_hits", "shadow_assessments")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    op.execute(REFUSING)
    for table in KEPT_FOR_A_TIME:
        _guard(table, "refuse_change_while_kept")
    for kind, (old, let_go) in KINDS.items():
        op.execute(FUNCTION.format(kind=kind, old=old, let_go=let_go))
        name = f"let_go_of_{kind}({ARGUMENTS})"
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {role}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for kind in KINDS:
        op.execute(f"DROP FUNCTION let_go_of_{kind}({ARGUMENTS})")
    for table in KEPT_FOR_A_TIME:
        _guard(table, "refuse_change")
    op.execute("DROP FUNCTION refuse_change_while_kept()")


def _guard(table: str, function: str) -> None:
    op.execute(
        f"CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
