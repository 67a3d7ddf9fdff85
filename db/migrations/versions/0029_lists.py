"""Lists of values that fraud rules look at: entries, the keys to look them up by, and hits."""

from typing import Final

from alembic import op

revision = "0029"
down_revision = "0028"

TABLES: Final = (
    """
    CREATE TABLE list_entries (
        id UUID NOT NULL,
        list_name VARCHAR(32) NOT NULL,
        kind VARCHAR(32) NOT NULL,
        value VARCHAR(320) NOT NULL,
        reason TEXT NOT NULL,
        added_by TEXT NOT NULL,
        added_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE,
        removed_at TIMESTAMP WITH TIME ZONE,
        removed_by TEXT,
        CONSTRAINT pk_list_entries PRIMARY KEY (id),
        CONSTRAINT ck_list_entries_kind CHECK (kind in (
            'player', 'device_id', 'payment_instrument', 'email', 'email_domain', 'phone',
            'kyc_subject', 'network'
        )),
        CONSTRAINT ck_list_entries_list_name CHECK (list_name in ('allow', 'deny', 'watch')),
        CONSTRAINT ck_list_entries_removed CHECK ((removed_at is null) = (removed_by is null))
    )
    """,
    """
    CREATE TABLE list_keys (
        entry_id UUID NOT NULL,
        kind VARCHAR(32) NOT NULL,
        value VARCHAR(320) NOT NULL,
        CONSTRAINT pk_list_keys PRIMARY KEY (entry_id, kind, value),
        CONSTRAINT fk_list_keys_entry_id FOREIGN KEY (entry_id) REFERENCES list_entries (id)
    )
    """,
    """
    CREATE TABLE list_hits (
        entry_id UUID NOT NULL,
        referral_id UUID NOT NULL,
        hit_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_list_hits PRIMARY KEY (entry_id, referral_id),
        CONSTRAINT fk_list_hits_entry_id FOREIGN KEY (entry_id) REFERENCES list_entries (id),
        CONSTRAINT fk_list_hits_referral_id FOREIGN KEY (referral_id) REFERENCES referrals (id)
    )
    """,
    """
    CREATE INDEX ix_list_entries_listed ON list_entries (list_name, added_at, id)
    WHERE removed_at is null
    """,
    "CREATE INDEX ix_list_entries_value ON list_entries (kind, value) WHERE removed_at is null",
    "CREATE INDEX ix_list_keys_value ON list_keys (value, kind)",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    for statement in TABLES:
        op.execute(statement)
    for table in ("list_entries", "list_keys", "list_hits"):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {role}")
    op.execute(f"GRANT UPDATE (removed_at, removed_by) ON list_entries TO {role}")
    for table in ("list_keys", "list_hits"):
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in ("list_hits", "list_keys", "list_entries"):
        op.execute(f"DROP TABLE {table}")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
