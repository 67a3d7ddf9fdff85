"""Rule sets of fraud rules, their shadow assessments, and backtests of stored assessments.

The index by which backtests read assessments in the order of their time is made without blocking
writers.
"""

from typing import Final

from alembic import op

revision = "0030"
down_revision = "0029"

TABLES: Final = {
    "rule_sets": """
        CREATE TABLE rule_sets (
            version INTEGER NOT NULL,
            based_on INTEGER,
            weights JSONB NOT NULL,
            thresholds JSONB NOT NULL,
            sample_percent INTEGER NOT NULL,
            campaigns JSONB NOT NULL,
            reason TEXT NOT NULL,
            written_by TEXT NOT NULL,
            written_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            CONSTRAINT pk_rule_sets PRIMARY KEY (version),
            CONSTRAINT fk_rule_sets_based_on
                FOREIGN KEY (based_on) REFERENCES rule_sets (version)
        )
    """,
    "rule_set_switches": """
        CREATE TABLE rule_set_switches (
            id BIGINT GENERATED ALWAYS AS IDENTITY,
            role VARCHAR(16) NOT NULL,
            version INTEGER,
            switched_by TEXT NOT NULL,
            switched_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            CONSTRAINT pk_rule_set_switches PRIMARY KEY (id),
            CONSTRAINT fk_rule_set_switches_version
                FOREIGN KEY (version) REFERENCES rule_sets (version),
            CONSTRAINT ck_rule_set_switches_role CHECK (role in ('live', 'shadow')),
            CONSTRAINT ck_rule_set_switches_version
                CHECK (role = 'shadow' or version is not null)
        )
    """,
    "shadow_assessments": """
        CREATE TABLE shadow_assessments (
            assessment_id UUID NOT NULL,
            rule_set INTEGER NOT NULL,
            score INTEGER NOT NULL,
            verdict VARCHAR(32) NOT NULL,
            reasons TEXT[] NOT NULL,
            outcomes JSONB NOT NULL,
            assessed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_shadow_assessments PRIMARY KEY (assessment_id, rule_set),
            CONSTRAINT ck_shadow_assessments_verdict
                CHECK (verdict in ('pass', 'sample', 'review', 'block')),
            CONSTRAINT fk_shadow_assessments_assessment_id
                FOREIGN KEY (assessment_id) REFERENCES assessments (id),
            CONSTRAINT fk_shadow_assessments_rule_set
                FOREIGN KEY (rule_set) REFERENCES rule_sets (version)
        )
    """,
    "backtests": """
        CREATE TABLE backtests (
            id UUID NOT NULL,
            version INTEGER NOT NULL,
            baseline INTEGER NOT NULL,
            since TIMESTAMP WITH TIME ZONE NOT NULL,
            until TIMESTAMP WITH TIME ZONE NOT NULL,
            report JSONB NOT NULL,
            run_by TEXT NOT NULL,
            run_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            CONSTRAINT pk_backtests PRIMARY KEY (id),
            CONSTRAINT fk_backtests_version FOREIGN KEY (version) REFERENCES rule_sets (version),
            CONSTRAINT fk_backtests_baseline FOREIGN KEY (baseline) REFERENCES rule_sets (version)
        )
    """,
}
INDEXES: Final = (
    "CREATE INDEX ix_rule_set_switches_role ON rule_set_switches (role, id)",
    "CREATE INDEX ix_rule_set_switches_version ON rule_set_switches (version, id)",
    "CREATE INDEX ix_shadow_assessments_rule_set ON shadow_assessments (rule_set, assessed_at)",
    "CREATE INDEX ix_backtests_version ON backtests (version, baseline, run_at)",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_assessments_assessed"
            " ON assessments (assessed_at, id)"
        )
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    for table, statement in TABLES.items():
        op.execute(statement)
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {role}")
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for statement in INDEXES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP INDEX ix_assessments_assessed")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
