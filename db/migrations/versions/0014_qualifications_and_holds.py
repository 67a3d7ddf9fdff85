"""Qualifications with the facts they rest on, holds as rows, reason codes, review rounds."""

from typing import Final

from alembic import op

revision = "0014"
down_revision = "0013"

TABLES: Final = (
    """
    CREATE TABLE qualifications (
        id UUID NOT NULL,
        referral_id UUID NOT NULL,
        attempt INTEGER NOT NULL,
        met_at TIMESTAMP WITH TIME ZONE NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_qualifications PRIMARY KEY (id),
        CONSTRAINT uq_qualifications_referral_id_attempt UNIQUE (referral_id, attempt),
        CONSTRAINT ck_qualifications_attempt CHECK (attempt >= 1),
        CONSTRAINT fk_qualifications_referral_id
            FOREIGN KEY (referral_id) REFERENCES referrals (id)
    )
    """,
    """
    CREATE TABLE qualification_facts (
        qualification_id UUID NOT NULL,
        kind VARCHAR(32) NOT NULL,
        event_id VARCHAR(64) NOT NULL,
        CONSTRAINT pk_qualification_facts PRIMARY KEY (qualification_id, kind, event_id),
        CONSTRAINT ck_qualification_facts_kind CHECK (
            kind IN ('signup', 'deposit', 'chargeback', 'wager', 'player', 'decision')
        ),
        CONSTRAINT fk_qualification_facts_qualification_id
            FOREIGN KEY (qualification_id) REFERENCES qualifications (id)
    )
    """,
    """
    CREATE TABLE holds (
        id UUID NOT NULL,
        referral_id UUID NOT NULL,
        attempt INTEGER NOT NULL,
        reason VARCHAR(32) NOT NULL,
        detail TEXT[] NOT NULL DEFAULT '{}',
        since TIMESTAMP WITH TIME ZONE NOT NULL,
        until TIMESTAMP WITH TIME ZONE,
        cleared_at TIMESTAMP WITH TIME ZONE,
        cleared_by TEXT,
        CONSTRAINT pk_holds PRIMARY KEY (id),
        CONSTRAINT ck_holds_reason CHECK (
            reason IN ('hold_period', 'review', 'ineligible', 'funds')
        ),
        CONSTRAINT ck_holds_cleared CHECK ((cleared_at IS NULL) = (cleared_by IS NULL)),
        CONSTRAINT fk_holds_referral_id FOREIGN KEY (referral_id) REFERENCES referrals (id)
    )
    """,
    """
    CREATE UNIQUE INDEX uq_holds_open ON holds (referral_id, reason) WHERE cleared_at IS NULL
    """,
    "CREATE INDEX ix_holds_referral ON holds (referral_id)",
)
COLUMNS: Final = (
    ("reviews", "attempt INTEGER NOT NULL DEFAULT 1"),
    ("reviews", "round INTEGER NOT NULL DEFAULT 1"),
    ("reviews", "assessment_id UUID"),
    ("rewards", "qualification_id UUID"),
    ("timeline", "reason_code VARCHAR(32)"),
    ("facts", "reported_by TEXT"),
)
INSERT_ONLY: Final = ("qualifications", "qualification_facts")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for statement in TABLES:
        op.execute(statement)
    for table, column in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    role = _role()
    for table in (*INSERT_ONLY, "holds"):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {role}")
    op.execute(f"GRANT UPDATE (detail, until, cleared_at, cleared_by) ON holds TO {role}")
    op.execute(f"GRANT UPDATE (qualification_id) ON rewards TO {role}")
    op.execute(f"GRANT UPDATE (assessment_id) ON reviews TO {role}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table, column in reversed(COLUMNS):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column.partition(' ')[0]}")
    for table in ("holds", "qualification_facts", "qualifications"):
        op.execute(f"DROP TABLE {table}")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
