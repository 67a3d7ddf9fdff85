"""Webhooks: endpoints, the ids of their secrets, and deliveries."""

from typing import Final

from alembic import op

revision = "0023"
down_revision = "0022"

TABLES: Final = (
    """
    CREATE TABLE webhooks (
        id UUID NOT NULL,
        url TEXT NOT NULL,
        types TEXT[] NOT NULL,
        owner TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        active_since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        disabled_at TIMESTAMP WITH TIME ZONE,
        disabled_reason VARCHAR(16),
        deleted_at TIMESTAMP WITH TIME ZONE,
        failures INTEGER DEFAULT 0 NOT NULL,
        failing_since TIMESTAMP WITH TIME ZONE,
        paused_until TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_webhooks PRIMARY KEY (id),
        CONSTRAINT ck_webhooks_disabled
            CHECK ((disabled_at is null) = (disabled_reason is null)),
        CONSTRAINT ck_webhooks_failing CHECK ((failures = 0) = (failing_since is null)),
        CONSTRAINT ck_webhooks_types CHECK (cardinality(types) > 0)
    )
    """,
    """
    CREATE TABLE webhook_secrets (
        id UUID NOT NULL,
        webhook_id UUID NOT NULL,
        key_id VARCHAR(16) NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        valid_until TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_webhook_secrets PRIMARY KEY (id),
        CONSTRAINT fk_webhook_secrets_webhook_id
            FOREIGN KEY (webhook_id) REFERENCES webhooks (id)
    )
    """,
    """
    CREATE TABLE webhook_deliveries (
        id UUID NOT NULL,
        webhook_id UUID NOT NULL,
        event_id UUID NOT NULL,
        type VARCHAR(255) NOT NULL,
        key VARCHAR(255) NOT NULL,
        seq BIGINT GENERATED ALWAYS AS IDENTITY,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        status VARCHAR(16) DEFAULT 'pending' NOT NULL,
        attempts INTEGER DEFAULT 0 NOT NULL,
        failures INTEGER DEFAULT 0 NOT NULL,
        due_since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        next_attempt_at TIMESTAMP WITH TIME ZONE NOT NULL,
        leased_until TIMESTAMP WITH TIME ZONE,
        last_attempt_at TIMESTAMP WITH TIME ZONE,
        finished_at TIMESTAMP WITH TIME ZONE,
        last_status SMALLINT,
        last_error VARCHAR(32),
        CONSTRAINT pk_webhook_deliveries PRIMARY KEY (id),
        CONSTRAINT fk_webhook_deliveries_webhook_id
            FOREIGN KEY (webhook_id) REFERENCES webhooks (id),
        CONSTRAINT ck_webhook_deliveries_status
            CHECK (status in ('pending', 'delivered', 'failed')),
        CONSTRAINT ck_webhook_deliveries_finished
            CHECK ((status = 'pending') = (finished_at is null))
    )
    """,
)
INDEXES: Final = (
    """
    CREATE UNIQUE INDEX uq_webhook_secrets_current ON webhook_secrets (webhook_id)
    WHERE valid_until is null
    """,
    "CREATE INDEX ix_webhook_secrets_webhook ON webhook_secrets (webhook_id)",
    "CREATE UNIQUE INDEX uq_webhook_deliveries_event ON webhook_deliveries (webhook_id, event_id)",
    """
    CREATE INDEX ix_webhook_deliveries_due
    ON webhook_deliveries (webhook_id, next_attempt_at, seq) WHERE status = 'pending'
    """,
    """
    CREATE INDEX ix_webhook_deliveries_key ON webhook_deliveries (webhook_id, key, seq)
    WHERE status = 'pending'
    """,
    """
    CREATE INDEX ix_webhook_deliveries_leased ON webhook_deliveries (webhook_id, leased_until)
    WHERE leased_until is not null
    """,
    "CREATE INDEX ix_webhook_deliveries_listed ON webhook_deliveries (webhook_id, created_at, id)",
    """
    CREATE INDEX ix_webhook_deliveries_finished ON webhook_deliveries (finished_at)
    WHERE finished_at is not null
    """,
)
CHANGED: Final = {
    "webhooks": (
        "active_since, disabled_at, disabled_reason, deleted_at, failures, failing_since,"
        " paused_until"
    ),
    "webhook_secrets": "valid_until",
    "webhook_deliveries": (
        "status, attempts, failures, due_since, next_attempt_at, leased_until, last_attempt_at,"
        " finished_at, last_status, last_error"
    ),
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    for statement in TABLES + INDEXES:
        op.execute(statement)
    for table, columns in CHANGED.items():
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {role}")
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO {role}")
    op.execute(f"GRANT DELETE ON webhook_deliveries TO {role}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in reversed(CHANGED):
        op.execute(f"DROP TABLE {table}")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
