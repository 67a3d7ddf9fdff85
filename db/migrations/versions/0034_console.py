"""The console: people, links that sign one in once, and sessions."""

from typing import Final

from alembic import op

revision = "0034"
down_revision = "0033"

_ROLES: Final = "role in ('reviewer', 'marketer', 'support', 'auditor', 'admin')"
TABLES: Final = (
    """
    CREATE TABLE console_people (
        id UUID NOT NULL,
        person VARCHAR(200) NOT NULL,
        name VARCHAR(200) NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_console_people PRIMARY KEY (id),
        CONSTRAINT uq_console_people_person UNIQUE (person)
    )
    """,
    f"""
    CREATE TABLE console_links (
        token_hash VARCHAR(64) NOT NULL,
        person_id UUID NOT NULL,
        role VARCHAR(16) NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        used_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_console_links PRIMARY KEY (token_hash),
        CONSTRAINT ck_console_links_role CHECK ({_ROLES}),
        CONSTRAINT fk_console_links_person_id FOREIGN KEY (person_id)
            REFERENCES console_people (id)
    )
    """,
    f"""
    CREATE TABLE console_sessions (
        token_hash VARCHAR(64) NOT NULL,
        person_id UUID NOT NULL,
        role VARCHAR(16) NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_console_sessions PRIMARY KEY (token_hash),
        CONSTRAINT ck_console_sessions_role CHECK ({_ROLES}),
        CONSTRAINT fk_console_sessions_person_id FOREIGN KEY (person_id)
            REFERENCES console_people (id)
    )
    """,
    "CREATE INDEX ix_console_sessions_person ON console_sessions (person_id)",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    for statement in TABLES:
        op.execute(statement)
    for table in ("console_people", "console_links", "console_sessions"):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {role}")
    op.execute(f"GRANT UPDATE (used_at) ON console_links TO {role}")
    op.execute(f"GRANT UPDATE (ended_at) ON console_sessions TO {role}")
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON console_people"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in ("console_sessions", "console_links", "console_people"):
        op.execute(f"DROP TABLE {table}")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
