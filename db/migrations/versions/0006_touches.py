"""Touches, rebinds, a log of every attempt, and what a campaign says of attribution and its link.

`clicks` is left for copies of version 0.1 that still run; a later migration drops it.
"""

from typing import Final

from alembic import op

revision = "0006"
down_revision = "0005"

OLD_METHODS: Final = "referral_token typed_code signal"
METHODS: Final = (
    "manual typed_code referral_token universal_link qr_code signal"
    " install_referrer clipboard cookie probabilistic"
)
STATUSES: Final = "proposed approved rejected refused"


def _words(column: str, words: str) -> str:
    listed = ", ".join(f"'{word}'" for word in words.split())
    return f"CHECK ({column} IN ({listed}))"


STATEMENTS: Final = (
    f"""
    CREATE TABLE touches (
        id UUID NOT NULL,
        method VARCHAR(32) NOT NULL,
        confidence FLOAT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        code VARCHAR(64),
        campaign_slug VARCHAR(64),
        referral_id UUID,
        visitor VARCHAR(80),
        player_id VARCHAR(64),
        platform VARCHAR(16),
        ip VARCHAR(80),
        user_agent VARCHAR(80),
        device_id VARCHAR(80),
        signals JSONB DEFAULT '{{}}' NOT NULL,
        evidence JSONB DEFAULT '{{}}' NOT NULL,
        refusal VARCHAR(32),
        answers UUID,
        is_confirmed BOOLEAN,
        CONSTRAINT pk_touches PRIMARY KEY (id),
        CONSTRAINT fk_touches_referral_id FOREIGN KEY (referral_id) REFERENCES referrals (id),
        CONSTRAINT fk_touches_answers FOREIGN KEY (answers) REFERENCES touches (id),
        CONSTRAINT ck_touches_method {_words("method", METHODS)},
        CONSTRAINT ck_touches_confidence CHECK (confidence BETWEEN 0 AND 1)
    )
    """,
    "CREATE INDEX ix_touches_referral ON touches (referral_id)",
    "CREATE INDEX ix_touches_visitor ON touches (visitor) WHERE visitor IS NOT NULL",
    "CREATE INDEX ix_touches_player ON touches (player_id) WHERE player_id IS NOT NULL",
    "CREATE INDEX ix_touches_answers ON touches (answers) WHERE answers IS NOT NULL",
    "CREATE INDEX ix_touches_network ON touches (ip, at) WHERE ip IS NOT NULL",
    """
    CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON touches
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    f"""
    CREATE TABLE rebinds (
        id UUID NOT NULL,
        player_id VARCHAR(64) NOT NULL,
        code VARCHAR(32) NOT NULL,
        reason TEXT NOT NULL,
        proposed_by TEXT NOT NULL,
        proposed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        status VARCHAR(16) DEFAULT 'proposed' NOT NULL,
        decided_by TEXT,
        decided_at TIMESTAMP WITH TIME ZONE,
        decision_reason TEXT,
        outcome VARCHAR(32),
        referral_id UUID,
        CONSTRAINT pk_rebinds PRIMARY KEY (id),
        CONSTRAINT fk_rebinds_code FOREIGN KEY (code) REFERENCES codes (code),
        CONSTRAINT fk_rebinds_referral_id FOREIGN KEY (referral_id) REFERENCES referrals (id),
        CONSTRAINT ck_rebinds_status {_words("status", STATUSES)},
        CONSTRAINT ck_rebinds_two_people CHECK (decided_by <> proposed_by),
        CONSTRAINT ck_rebinds_signed CHECK (
            status = 'proposed' OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)
        )
    )
    """,
    "CREATE INDEX ix_rebinds_player ON rebinds (player_id)",
    "ALTER TABLE campaign_versions ADD COLUMN attribution JSONB DEFAULT '{}' NOT NULL",
    "ALTER TABLE campaign_versions ADD COLUMN link JSONB DEFAULT '{}' NOT NULL",
    """
    ALTER TABLE attributions
        ADD COLUMN attempt VARCHAR(16) DEFAULT 'signup' NOT NULL,
        ADD COLUMN signed_up_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN touches JSONB DEFAULT '[]' NOT NULL,
        ADD COLUMN policy JSONB DEFAULT '{}' NOT NULL,
        ADD COLUMN actor TEXT,
        ADD COLUMN reason TEXT,
        ALTER COLUMN player_id DROP NOT NULL,
        ALTER COLUMN claims SET DEFAULT '[]'
    """,
    "ALTER TABLE referrals DROP CONSTRAINT ck_referrals_attribution_method",
    f"""
    ALTER TABLE referrals ADD CONSTRAINT ck_referrals_attribution_method
        {_words("attribution_method", METHODS)} NOT VALID
    """,
)

GRANTS: Final = (
    "GRANT SELECT, INSERT ON touches, rebinds TO {role}",
    """
    GRANT UPDATE (status, decided_by, decided_at, decision_reason, outcome, referral_id)
    ON rebinds TO {role}
    """,
)

UNDOING: Final = (
    """
    ALTER TABLE attributions
        DROP COLUMN attempt, DROP COLUMN signed_up_at, DROP COLUMN touches,
        DROP COLUMN policy, DROP COLUMN actor, DROP COLUMN reason,
        ALTER COLUMN claims DROP DEFAULT
    """,
    # Attempts without a player have no place in the older log, which asks for one.
    """
    ALTER TABLE attributions ADD CONSTRAINT ck_attributions_player
        CHECK (player_id IS NOT NULL) NOT VALID
    """,
    "ALTER TABLE campaign_versions DROP COLUMN attribution, DROP COLUMN link",
    "DROP TABLE rebinds",
    "DROP TABLE touches",
    "ALTER TABLE referrals DROP CONSTRAINT ck_referrals_attribution_method",
    f"""
    ALTER TABLE referrals ADD CONSTRAINT ck_referrals_attribution_method
        {_words("attribution_method", OLD_METHODS)} NOT VALID
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE attributions DROP CONSTRAINT IF EXISTS ck_attributions_player")
    for statement in STATEMENTS:
        op.execute(statement)
    for grant in GRANTS:
        op.execute(grant.format(role=_role()))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for statement in UNDOING:
        op.execute(statement)


def _role() -> str:
    """The application's role, quoted."""
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
