"""How often somebody asked lately: shared by every copy of the api, and lost in a crash."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(
        """
        CREATE UNLOGGED TABLE rate_windows (
            key VARCHAR(200) NOT NULL,
            hits BIGINT NOT NULL,
            ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_rate_windows PRIMARY KEY (key)
        ) WITH (fillfactor = 50)
        """
    )
    op.execute("CREATE INDEX ix_rate_windows_ends ON rate_windows (ends_at)")
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    role = op.get_bind().dialect.identifier_preparer.quote(name)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON rate_windows TO {role}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TABLE rate_windows")
