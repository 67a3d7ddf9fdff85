"""Tables of exchange rates: only ever inserted, and part of the hash chain."""

from typing import Final

from alembic import op

revision = "0041"
down_revision = "0040"

TABLE: Final = """
    CREATE TABLE rate_tables (
        id UUID NOT NULL,
        as_of TIMESTAMP WITH TIME ZONE NOT NULL,
        source TEXT NOT NULL,
        base VARCHAR(3) NOT NULL,
        rates JSONB NOT NULL,
        currencies TEXT[] NOT NULL,
        written_by TEXT NOT NULL,
        written_at TIMESTAMP WITH TIME ZONE NOT NULL,
        number BIGINT GENERATED ALWAYS AS IDENTITY,
        CONSTRAINT pk_rate_tables PRIMARY KEY (id),
        CONSTRAINT uq_rate_tables_as_of_source_base UNIQUE (as_of, source, base)
    )
"""
NOTE: Final = """
    CREATE OR REPLACE FUNCTION note_rate_tables() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        INSERT INTO unlinked_rows (relation, row_key)
            SELECT 'rate_tables', cast(id AS text) FROM new_rows;
        RETURN NULL;
    END
    $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(TABLE)
    op.execute("CREATE INDEX ix_rate_tables_latest ON rate_tables (as_of, number)")
    op.execute(f"GRANT SELECT, INSERT ON rate_tables TO {_role()}")
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rate_tables"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(NOTE)
    op.execute(
        "CREATE TRIGGER note_rate_tables AFTER INSERT ON rate_tables"
        " REFERENCING NEW TABLE AS new_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_rate_tables()"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TABLE rate_tables")
    op.execute("DROP FUNCTION note_rate_tables()")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
