"""A hash chain over rows that must not change, and erasures with the salts that they destroy.

Triggers note each new row in its own transaction, so that a row that commits late is not missed.
Rows of earlier releases are noted at the end, after the locks of the triggers are released; a row
that is noted twice is linked once. What is committed before that is made again by another run.
"""

from typing import Final

from alembic import op

revision = "0032"
down_revision = "0031"

TABLES: Final = {
    "unlinked_rows": """
        CREATE TABLE IF NOT EXISTS unlinked_rows (
            id BIGINT GENERATED ALWAYS AS IDENTITY,
            relation VARCHAR(32) NOT NULL,
            row_key TEXT NOT NULL,
            CONSTRAINT pk_unlinked_rows PRIMARY KEY (id)
        )
    """,
    "chain_links": """
        CREATE TABLE IF NOT EXISTS chain_links (
            seq BIGINT NOT NULL,
            relation VARCHAR(32) NOT NULL,
            row_key TEXT NOT NULL,
            leaf BYTEA NOT NULL,
            commitment BYTEA,
            hash BYTEA NOT NULL,
            linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_chain_links PRIMARY KEY (seq),
            CONSTRAINT uq_chain_links_relation_row_key UNIQUE (relation, row_key)
        )
    """,
    "subject_salts": """
        CREATE TABLE IF NOT EXISTS subject_salts (
            subject VARCHAR(96) NOT NULL,
            salt BYTEA NOT NULL,
            CONSTRAINT pk_subject_salts PRIMARY KEY (subject)
        )
    """,
    "erasures": """
        CREATE TABLE IF NOT EXISTS erasures (
            player_id VARCHAR(64) NOT NULL,
            erased_by TEXT NOT NULL,
            reason TEXT NOT NULL,
            erased_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            CONSTRAINT pk_erasures PRIMARY KEY (player_id)
        )
    """,
}
RIGHTS: Final = {
    "unlinked_rows": "SELECT, DELETE",
    "chain_links": "SELECT, INSERT",
    "subject_salts": "SELECT, INSERT",
    "erasures": "SELECT",
}
NEW_ROWS: Final = {
    "facts": "kind || '/' || event_id",
    "transfers": "id",
    "entries": "id",
    "assessments": "id",
    "approvals": "id",
    "audit": "id",
    "campaign_versions": "id",
    "api_keys": "id",
    "timeline": "id",
    "touches": "id",
    "attributions": "signup_event_id",
    "codes": "code",
    "qualifications": "id",
    "qualification_facts": "qualification_id || '/' || kind || '/' || event_id",
    "referrals": "id",
    "rewards": "id",
    "rule_sets": "version",
    "outbox": "id",
    "erasures": "player_id",
}
"""Key of a table's row, in the order of its primary key's columns."""
FINAL_CHANGES: Final = {
    "key_revocations": ("api_keys", "id", "revoked_at"),
    "review_decisions": ("reviews", "id", "decided_at"),
}
"""Changes that are made once: table, key, and the column that is set by them."""
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
ERASING: Final = """
    CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        -- The owner could drop this trigger: an erasure says what it does instead.
        IF TG_OP = 'UPDATE' AND current_setting('referrals.erasing', true) = 'on'
                AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class
                                     WHERE oid = TG_RELID) THEN
            RETURN NULL;
        END IF;
        RAISE EXCEPTION '% on %, whose rows are only ever inserted', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
    END
    $$
"""
REFUSING: Final = """
    CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql
        SET search_path = public, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION '% on %, whose rows are only ever inserted', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
    END
    $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    for table, statement in TABLES.items():
        op.execute(statement)
        op.execute(f"GRANT {RIGHTS[table]} ON {table} TO {role}")
    for table in ("chain_links", "erasures"):
        op.execute(f"DROP TRIGGER IF EXISTS insert_only ON {table}")
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(ERASING)
    for table, key in NEW_ROWS.items():
        _note(table, table, key, "INSERT", condition="")
    for name, (table, key, column) in FINAL_CHANGES.items():
        _note(name, table, key, "UPDATE", condition=f" WHERE {column} IS NOT NULL")
    with op.get_context().autocommit_block():
        for table, key in NEW_ROWS.items():
            op.execute(_noting(table, table, key))
        for name, (table, key, column) in FINAL_CHANGES.items():
            op.execute(f"{_noting(name, table, key)} WHERE {column} IS NOT NULL")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for name in (*NEW_ROWS, *FINAL_CHANGES):
        op.execute(f"DROP FUNCTION note_{name}() CASCADE")
    op.execute(REFUSING)
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")


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
        f"INSERT INTO unlinked_rows (relation, row_key)"  # noqa: S608 - constants of this file
        f" SELECT '{name}', cast({key} AS text) FROM {table}"
    )


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
