"""API keys are made by a role of their own, and one that was revoked stays so.

The application's role reads keys and may revoke one. The role `referrals_keys` makes and rotates
them; where it is missing and may not be created here, the schema's owner does.
"""

from typing import Final

from alembic import op

revision = "0049"
down_revision = "0048"

ROLE: Final = """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'referrals_keys') THEN
            CREATE ROLE referrals_keys NOLOGIN;
        END IF;
    EXCEPTION
        -- An owner that may create no roles; or another database of the cluster was faster.
        WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL;
    END
    $$
"""
RIGHTS: Final = """
    DO $$
    BEGIN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'referrals_keys') THEN
            GRANT USAGE ON SCHEMA public TO referrals_keys;
            GRANT SELECT ON alembic_version TO referrals_keys;
            GRANT SELECT, INSERT, UPDATE (revoked_at) ON api_keys TO referrals_keys;
            GRANT SELECT, INSERT ON audit TO referrals_keys;
        END IF;
    END
    $$
"""
NO_RIGHTS: Final = """
    DO $$
    BEGIN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'referrals_keys') THEN
            REVOKE ALL ON audit, api_keys, alembic_version FROM referrals_keys;
            REVOKE USAGE ON SCHEMA public FROM referrals_keys;
        END IF;
    END
    $$
"""
REVOKED_ONCE: Final = """
    CREATE FUNCTION refuse_revival() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION 'key % was revoked, and stays so', OLD.id
            USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
    END
    $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(ROLE)
    op.execute(RIGHTS)
    op.execute(f"REVOKE INSERT ON api_keys FROM {_role()}")
    op.execute(REVOKED_ONCE)
    op.execute(
        "CREATE TRIGGER revoked_once BEFORE UPDATE ON api_keys FOR EACH ROW"
        " WHEN (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)"
        " EXECUTE FUNCTION refuse_revival()"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TRIGGER revoked_once ON api_keys")
    op.execute("DROP FUNCTION refuse_revival()")
    op.execute(f"GRANT INSERT ON api_keys TO {_role()}")
    # The role itself may serve other databases, so it stays.
    op.execute(NO_RIGHTS)


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
