"""Decisions beside reviews, switches, publications and payment orders as part of the hash chain.

What was written before is noted at the end, after the locks of the triggers are released; a row
that is noted twice is linked once.
"""

# ruff: noqa: S608 - the statements are built from constants of this file alone

from typing import Final

from alembic import op

revision = "0065"
down_revision = "0063"

NEW_ROWS: Final = {
    "campaign_publications": "campaign_id || '/' || version",
    "case_notes": "id",
    "payment_orders": "id",
    "rule_set_switches": "id",
    "switches": "id",
}
"""Key of a table's row, in the order of its primary key's columns."""
FINAL_CHANGES: Final = {
    "case_decisions": ("cases", "decided_at IS NOT NULL"),
    "payments": ("payment_orders", "status = 'posted'"),
    "rebind_decisions": ("rebinds", "decided_at IS NOT NULL"),
}
"""Changes that are made once: table, and what holds from then on."""
NOTED: Final = """
    CREATE OR REPLACE FUNCTION note_{name}() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        INSERT INTO unlinked_rows (relation, row_key)
            SELECT '{name}', cast({key} AS text) FROM new_rows{condition};
        RETURN NULL;
    END
    $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table, key in NEW_ROWS.items():
        _note(table, table, key, "INSERT", condition="")
    for name, (table, condition) in FINAL_CHANGES.items():
        _note(name, table, "id", "UPDATE", condition=f" WHERE {condition}")
    with op.get_context().autocommit_block():
        for table, key in NEW_ROWS.items():
            op.execute(_noting(table, table, key))
        for name, (table, condition) in FINAL_CHANGES.items():
            op.execute(f"{_noting(name, table, 'id')} WHERE {condition}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for name in (*NEW_ROWS, *FINAL_CHANGES):
        op.execute(f"DROP FUNCTION note_{name}() CASCADE")
        op.execute(f"DELETE FROM unlinked_rows WHERE relation = '{name}'")


def _note(name: str, table: str, key: str, change: str, *, condition: str) -> None:
    op.execute(NOTED.format(name=name, key=key, condition=condition))
    op.execute(f"DROP TRIGGER IF EXISTS note_{name} ON {table}")
    op.execute(
        f"CREATE TRIGGER note_{name} AFTER {change} ON {table}"
        f" REFERENCING NEW TABLE AS new_rows"
        f" FOR EACH STATEMENT EXECUTE FUNCTION note_{name}()"
    )


def _noting(name: str, table: str, key: str) -> str:
    return (
        f"INSERT INTO unlinked_rows (relation, row_key)"
        f" SELECT '{name}', cast({key} AS text) FROM {table}"
    )
