"""Assessments of pairs at the signup, the queue of those to make, and letting go of old ones."""

from typing import Final

from alembic import op

revision = "0060"
down_revision = "0054"

TABLES: Final = {
    "signups_to_assess": (
        """
        CREATE TABLE signups_to_assess (
            referral_id UUID NOT NULL,
            noted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            CONSTRAINT pk_signups_to_assess PRIMARY KEY (referral_id),
            CONSTRAINT fk_signups_to_assess_referral_id
                FOREIGN KEY (referral_id) REFERENCES referrals (id)
        )
        """,
        "SELECT, INSERT, UPDATE, DELETE",
    ),
    "signup_assessments": (
        """
        CREATE TABLE signup_assessments (
            referral_id UUID NOT NULL,
            evidence JSONB NOT NULL,
            ineligible TEXT[] NOT NULL,
            rule_set VARCHAR(64) NOT NULL,
            score INTEGER NOT NULL,
            verdict VARCHAR(32) NOT NULL,
            reasons TEXT[] NOT NULL,
            outcomes JSONB NOT NULL,
            assessed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            CONSTRAINT pk_signup_assessments PRIMARY KEY (referral_id),
            CONSTRAINT ck_signup_assessments_verdict
                CHECK (verdict in ('pass', 'sample', 'review', 'block')),
            CONSTRAINT fk_signup_assessments_referral_id
                FOREIGN KEY (referral_id) REFERENCES referrals (id)
        )
        """,
        "SELECT, INSERT",
    ),
}
"""Statement of each table, and what the application may do with its rows."""
INDEXES: Final = (
    "CREATE INDEX ix_signups_to_assess_noted ON signups_to_assess (noted_at, referral_id)",
    "CREATE INDEX ix_signup_assessments_assessed ON signup_assessments (assessed_at)",
)
GUARD: Final = """
    CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON signup_assessments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_while_kept()
"""
LET_GO: Final = """
    CREATE FUNCTION let_go_of_signup_assessments(
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
            SELECT count(*) INTO rows FROM signup_assessments s WHERE s.assessed_at < before;
        ELSE
            PERFORM set_config('referrals.erasing', 'on', true);
            WITH let_go AS (
                DELETE FROM signup_assessments WHERE referral_id IN (
                    SELECT s.referral_id FROM signup_assessments s
                     WHERE s.assessed_at < before LIMIT batch
                ) RETURNING referral_id
            ) SELECT count(*) INTO rows FROM let_go;
            PERFORM set_config('referrals.erasing', '', true);
        END IF;
        RETURN rows;
    END
    $$
"""
FUNCTION: Final = "let_go_of_signup_assessments(timestamp with time zone, integer, boolean)"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    for table, (statement, rights) in TABLES.items():
        op.execute(statement)
        op.execute(f"GRANT {rights} ON {table} TO {role}")
    for statement in (*INDEXES, GUARD, LET_GO):
        op.execute(statement)
    op.execute(f"REVOKE ALL ON FUNCTION {FUNCTION} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {FUNCTION} TO {role}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(f"DROP FUNCTION {FUNCTION}")
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
