"""Cases of reviewers, and approvals of what needs a second person.

Each statement may be repeated, because the first ones are committed before the indexes of reviews
are made, which blocks no writer.
"""

from typing import Final

from alembic import op

revision = "0028"
down_revision = "0027"

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS approvals (
        id UUID NOT NULL,
        subject TEXT NOT NULL,
        action TEXT NOT NULL,
        content TEXT NOT NULL,
        person TEXT NOT NULL,
        approved_by TEXT NOT NULL,
        reason TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_approvals PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS cases (
        id UUID NOT NULL,
        kind VARCHAR(32) NOT NULL,
        subject_kind VARCHAR(32) NOT NULL,
        subject VARCHAR(64) NOT NULL,
        number INTEGER NOT NULL,
        status VARCHAR(16) NOT NULL DEFAULT 'open',
        opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
        review_period INTERVAL NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        escalated_at TIMESTAMP WITH TIME ZONE,
        claimed_by TEXT,
        claimed_until TIMESTAMP WITH TIME ZONE,
        decision VARCHAR(32),
        decided_by TEXT,
        reason TEXT,
        decided_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_cases PRIMARY KEY (id),
        CONSTRAINT uq_cases_kind_subject_kind_subject_number
            UNIQUE (kind, subject_kind, subject, number),
        CONSTRAINT ck_cases_kind CHECK (kind IN ('held', 'late_link', 'sample')),
        CONSTRAINT ck_cases_subject_kind CHECK (
            subject_kind IN ('cluster', 'referrer', 'referral')
        ),
        CONSTRAINT ck_cases_status CHECK (status IN ('open', 'decided', 'closed')),
        CONSTRAINT ck_cases_decision CHECK (decision IN ('approve', 'reject')),
        CONSTRAINT ck_cases_decided CHECK ((status = 'decided') = (decision IS NOT NULL)),
        CONSTRAINT ck_cases_claimed CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS case_referrals (
        id UUID NOT NULL,
        case_id UUID NOT NULL,
        referral_id UUID NOT NULL,
        review_id UUID,
        reasons TEXT[] NOT NULL,
        added_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_case_referrals PRIMARY KEY (id),
        CONSTRAINT uq_case_referrals_review_id UNIQUE (review_id),
        CONSTRAINT fk_case_referrals_case_id FOREIGN KEY (case_id) REFERENCES cases (id),
        CONSTRAINT fk_case_referrals_referral_id
            FOREIGN KEY (referral_id) REFERENCES referrals (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS case_requests (
        id UUID NOT NULL,
        kind VARCHAR(32) NOT NULL,
        referral_id UUID NOT NULL,
        reasons TEXT[] NOT NULL,
        requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
        filed_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_case_requests PRIMARY KEY (id),
        CONSTRAINT fk_case_requests_referral_id
            FOREIGN KEY (referral_id) REFERENCES referrals (id),
        CONSTRAINT ck_case_requests_kind CHECK (kind IN ('held', 'late_link', 'sample'))
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS case_notes (
        id UUID NOT NULL,
        case_id UUID NOT NULL,
        author TEXT NOT NULL,
        text TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_case_notes PRIMARY KEY (id),
        CONSTRAINT fk_case_notes_case_id FOREIGN KEY (case_id) REFERENCES cases (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS case_deliveries (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        case_id UUID NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        next_attempt_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        acknowledged_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_case_deliveries PRIMARY KEY (id),
        CONSTRAINT fk_case_deliveries_case_id FOREIGN KEY (case_id) REFERENCES cases (id)
    )
    """,
)
INDEXES: Final = (
    "ix_approvals_subject ON approvals (subject, action)",
    "ix_cases_status ON cases (status, opened_at, id)",
    "ix_cases_subject ON cases (subject)",
    "ix_case_referrals_case ON case_referrals (case_id)",
    "ix_case_referrals_referral ON case_referrals (referral_id)",
    "ix_case_requests_waiting ON case_requests (requested_at) WHERE filed_at IS NULL",
    "ix_case_notes_case ON case_notes (case_id, at)",
    "ix_case_deliveries_due ON case_deliveries (next_attempt_at) WHERE acknowledged_at IS NULL",
)
INDEXES_OF_REVIEWS: Final = (
    "ix_reviews_unfiled ON reviews (opened_at) WHERE status = 'open' AND case_id IS NULL",
    "ix_reviews_case ON reviews (case_id)",
)
WRITTEN: Final = (
    "approvals", "cases", "case_referrals", "case_requests", "case_notes", "case_deliveries",
)  # fmt: skip
INSERT_ONLY: Final = ("approvals", "case_referrals", "case_notes")
CHANGED: Final = {
    "cases": (
        "status, due_at, escalated_at, claimed_by, claimed_until, decision, decided_by, reason,"
        " decided_at"
    ),
    "case_requests": "filed_at",
    "case_deliveries": "attempts, next_attempt_at, acknowledged_at",
    "reviews": "case_id",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in TABLES:
        op.execute(table)
    for index in INDEXES:
        op.execute(f"CREATE INDEX IF NOT EXISTS {index}")
    for name in INSERT_ONLY:
        op.execute(
            f"CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    # Null until the courier files the review: earlier releases open reviews without a case.
    op.execute("ALTER TABLE reviews ADD COLUMN IF NOT EXISTS case_id UUID")
    role = _role()
    for name in WRITTEN:
        op.execute(f"GRANT SELECT, INSERT ON {name} TO {role}")
    for name, columns in CHANGED.items():
        op.execute(f"GRANT UPDATE ({columns}) ON {name} TO {role}")
    with op.get_context().autocommit_block():
        for index in INDEXES_OF_REVIEWS:
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE reviews DROP COLUMN case_id")
    for name in reversed(WRITTEN):
        op.execute(f"DROP TABLE {name}")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
