"""Clawbacks as part of the hash chain, those that were written before as well."""

from typing import Final

from alembic import op

revision = "0045"
down_revision = "0044"

NOTE: Final = """
    CREATE FUNCTION note_clawbacks() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        INSERT INTO unlinked_rows (relation, row_key)
            SELECT 'clawbacks', cast(referral_id AS text) FROM new_rows;
        RETURN NULL;
    END
    $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(NOTE)
    op.execute(
        "CREATE TRIGGER note_clawbacks AFTER INSERT ON clawbacks REFERENCING NEW TABLE AS new_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_clawbacks()"
    )
    op.execute(
        "INSERT INTO unlinked_rows (relation, row_key)"
        " SELECT 'clawbacks', cast(referral_id AS text) FROM clawbacks"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP FUNCTION note_clawbacks() CASCADE")
    op.execute("DELETE FROM unlinked_rows WHERE relation = 'clawbacks'")
