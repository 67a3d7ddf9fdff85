"""Clawbacks: credited referrals of which a reviewer's rejection takes everything back."""

from alembic import op

revision = "0043"
down_revision = "0042"

TABLE = """
    CREATE TABLE clawbacks (
        referral_id UUID NOT NULL,
        case_id UUID NOT NULL,
        decided_by TEXT NOT NULL,
        reason TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_clawbacks PRIMARY KEY (referral_id),
        CONSTRAINT fk_clawbacks_referral_id FOREIGN KEY (referral_id) REFERENCES referrals (id),
        CONSTRAINT fk_clawbacks_case_id FOREIGN KEY (case_id) REFERENCES cases (id)
    )
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(TABLE)
    op.execute("CREATE INDEX ix_clawbacks_case ON clawbacks (case_id)")
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON clawbacks"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(f"GRANT SELECT, INSERT ON clawbacks TO {_role()}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TABLE clawbacks")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
