"""Every table and index, as they were at the beginning."""

from typing import Final

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS: Final = (
    """
    CREATE TABLE api_keys (
        id UUID NOT NULL,
        owner TEXT NOT NULL,
        scopes TEXT[] NOT NULL,
        key_hash VARCHAR(64) NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        revoked_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_api_keys PRIMARY KEY (id),
        CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash)
    )
    """,
    """
    CREATE TABLE audit (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        reason TEXT NOT NULL,
        request_id TEXT,
        details JSONB DEFAULT '{}' NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_audit PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_audit_subject ON audit (subject)",
    """
    CREATE TABLE campaigns (
        id UUID NOT NULL,
        slug VARCHAR(64) NOT NULL,
        status VARCHAR(32) NOT NULL,
        version INTEGER NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ends_at TIMESTAMP WITH TIME ZONE,
        currency VARCHAR(3) NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_campaigns PRIMARY KEY (id),
        CONSTRAINT uq_campaigns_slug UNIQUE (slug)
    )
    """,
    """
    CREATE TABLE facts (
        kind VARCHAR(32) NOT NULL,
        event_id VARCHAR(80) NOT NULL,
        player_id VARCHAR(64) NOT NULL,
        occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
        body JSONB NOT NULL,
        fingerprint VARCHAR(64) NOT NULL,
        door VARCHAR(16) NOT NULL,
        heard_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_facts PRIMARY KEY (kind, event_id)
    )
    """,
    "CREATE INDEX ix_facts_player ON facts (player_id, kind)",
    """
    CREATE TABLE inbox (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        player_id VARCHAR(64) NOT NULL,
        kind VARCHAR(32) NOT NULL,
        event_id VARCHAR(80) NOT NULL,
        heard_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_inbox PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_inbox_player ON inbox (player_id)",
    """
    CREATE TABLE outbox (
        id UUID NOT NULL,
        aggregatetype VARCHAR(255) NOT NULL,
        aggregateid VARCHAR(255) NOT NULL,
        type VARCHAR(255) NOT NULL,
        payload JSONB NOT NULL,
        headers JSONB DEFAULT '{}' NOT NULL,
        schema_version INTEGER DEFAULT 1 NOT NULL,
        seq BIGINT GENERATED ALWAYS AS IDENTITY,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_outbox PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_outbox_aggregate ON outbox (aggregateid)",
    """
    CREATE TABLE players (
        player_id VARCHAR(64) NOT NULL,
        first_heard_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_players PRIMARY KEY (player_id)
    )
    """,
    """
    CREATE TABLE accounts (
        id UUID NOT NULL,
        book VARCHAR(32) NOT NULL,
        currency VARCHAR(3) NOT NULL,
        campaign_id UUID,
        player_id VARCHAR(64),
        balance_minor BIGINT DEFAULT 0 NOT NULL,
        CONSTRAINT pk_accounts PRIMARY KEY (id),
        CONSTRAINT uq_accounts_id_currency UNIQUE (id, currency),
        CONSTRAINT ck_accounts_not_negative CHECK (balance_minor >= 0 or book = 'owed'),
        CONSTRAINT ck_accounts_owed_not_positive CHECK (balance_minor <= 0 or book <> 'owed'),
        CONSTRAINT fk_accounts_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaigns (id)
    )
    """,
    "CREATE INDEX ix_accounts_player ON accounts (player_id)",
    """
    CREATE TABLE campaign_versions (
        id UUID NOT NULL,
        campaign_id UUID NOT NULL,
        version INTEGER NOT NULL,
        name TEXT NOT NULL,
        destination TEXT NOT NULL,
        budget_minor BIGINT NOT NULL,
        terms JSONB NOT NULL,
        author TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_campaign_versions PRIMARY KEY (id),
        CONSTRAINT uq_campaign_versions_campaign_id_version UNIQUE (campaign_id, version),
        CONSTRAINT fk_campaign_versions_campaign_id FOREIGN KEY (campaign_id)
            REFERENCES campaigns (id)
    )
    """,
    """
    CREATE TABLE codes (
        code VARCHAR(32) NOT NULL,
        player_id VARCHAR(64) NOT NULL,
        campaign_id UUID NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_codes PRIMARY KEY (code),
        CONSTRAINT uq_codes_player_id_campaign_id UNIQUE (player_id, campaign_id),
        CONSTRAINT fk_codes_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaigns (id)
    )
    """,
    """
    CREATE TABLE referrals (
        id UUID NOT NULL,
        campaign_id UUID NOT NULL,
        campaign_slug VARCHAR(64) NOT NULL,
        campaign_version_id UUID NOT NULL,
        code VARCHAR(32) NOT NULL,
        referrer_id VARCHAR(64) NOT NULL,
        referee_id VARCHAR(64),
        visitor VARCHAR(80),
        terms JSONB NOT NULL,
        stage VARCHAR(32) NOT NULL,
        until TIMESTAMP WITH TIME ZONE NOT NULL,
        steps INTEGER DEFAULT 0 NOT NULL,
        awaits_funds BOOLEAN DEFAULT false NOT NULL,
        invited_at TIMESTAMP WITH TIME ZONE NOT NULL,
        signed_up_at TIMESTAMP WITH TIME ZONE,
        signup_event_id VARCHAR(64),
        attribution_method VARCHAR(32),
        attribution_confidence FLOAT,
        qualified_by VARCHAR(64),
        assessment_id UUID,
        credited_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_referrals PRIMARY KEY (id),
        CONSTRAINT fk_referrals_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaigns (id),
        CONSTRAINT fk_referrals_campaign_version_id FOREIGN KEY (campaign_version_id)
            REFERENCES campaign_versions (id),
        CONSTRAINT fk_referrals_code FOREIGN KEY (code) REFERENCES codes (code)
    )
    """,
    "CREATE INDEX ix_referrals_awaits_funds ON referrals (campaign_id) WHERE awaits_funds",
    "CREATE INDEX ix_referrals_referrer ON referrals (referrer_id, invited_at)",
    "CREATE INDEX ix_referrals_stage ON referrals (stage, until)",
    """
    CREATE UNIQUE INDEX uq_referrals_open_invitation ON referrals (visitor, code)
        WHERE visitor is not null and stage = 'INVITED'
    """,
    """
    CREATE UNIQUE INDEX uq_referrals_referee_once ON referrals (referee_id)
        WHERE referee_id is not null and stage <> 'LOST'
    """,
    """
    CREATE TABLE shares (
        id UUID NOT NULL,
        code VARCHAR(32) NOT NULL,
        channel VARCHAR(32) NOT NULL,
        shared_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_shares PRIMARY KEY (id),
        CONSTRAINT fk_shares_code FOREIGN KEY (code) REFERENCES codes (code)
    )
    """,
    """
    CREATE TABLE assessments (
        id UUID NOT NULL,
        referral_id UUID NOT NULL,
        deposit_event_id VARCHAR(64) NOT NULL,
        score INTEGER NOT NULL,
        verdict VARCHAR(32) NOT NULL,
        reasons TEXT[] NOT NULL,
        evidence JSONB NOT NULL,
        assessed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_assessments PRIMARY KEY (id),
        CONSTRAINT fk_assessments_referral_id FOREIGN KEY (referral_id)
            REFERENCES referrals (id)
    )
    """,
    "CREATE INDEX ix_assessments_referral ON assessments (referral_id)",
    """
    CREATE TABLE attributions (
        signup_event_id VARCHAR(80) NOT NULL,
        player_id VARCHAR(64) NOT NULL,
        outcome VARCHAR(32) NOT NULL,
        referral_id UUID,
        claims JSONB NOT NULL,
        decided_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_attributions PRIMARY KEY (signup_event_id),
        CONSTRAINT fk_attributions_referral_id FOREIGN KEY (referral_id)
            REFERENCES referrals (id)
    )
    """,
    """
    CREATE TABLE clicks (
        id UUID NOT NULL,
        code VARCHAR(32) NOT NULL,
        referral_id UUID,
        visitor VARCHAR(80) NOT NULL,
        platform VARCHAR(16) NOT NULL,
        ip VARCHAR(80),
        user_agent VARCHAR(80),
        device_id VARCHAR(80),
        clicked_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_clicks PRIMARY KEY (id),
        CONSTRAINT fk_clicks_code FOREIGN KEY (code) REFERENCES codes (code),
        CONSTRAINT fk_clicks_referral_id FOREIGN KEY (referral_id) REFERENCES referrals (id)
    )
    """,
    "CREATE INDEX ix_clicks_referral ON clicks (referral_id)",
    """
    CREATE TABLE deliveries (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        referral_id UUID NOT NULL,
        kind VARCHAR(16) NOT NULL,
        event_id VARCHAR(80) NOT NULL,
        signal VARCHAR(16),
        attempts INTEGER DEFAULT 0 NOT NULL,
        next_attempt_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        acknowledged_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_deliveries PRIMARY KEY (id),
        CONSTRAINT uq_deliveries_referral_id_kind_event_id UNIQUE (referral_id, kind, event_id),
        CONSTRAINT fk_deliveries_referral_id FOREIGN KEY (referral_id) REFERENCES referrals (id)
    )
    """,
    """
    CREATE INDEX ix_deliveries_due ON deliveries (next_attempt_at, id)
        WHERE acknowledged_at is null
    """,
    """
    CREATE TABLE reviews (
        id UUID NOT NULL,
        referral_id UUID NOT NULL,
        status VARCHAR(16) NOT NULL,
        score INTEGER NOT NULL,
        reasons TEXT[] NOT NULL,
        amount_minor BIGINT NOT NULL,
        currency VARCHAR(3) NOT NULL,
        opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
        escalated_at TIMESTAMP WITH TIME ZONE,
        decision VARCHAR(32),
        reviewer TEXT,
        reason TEXT,
        decided_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_reviews PRIMARY KEY (id),
        CONSTRAINT ck_reviews_decided CHECK ((status = 'decided') = (decision is not null)),
        CONSTRAINT uq_reviews_referral_id UNIQUE (referral_id),
        CONSTRAINT fk_reviews_referral_id FOREIGN KEY (referral_id) REFERENCES referrals (id)
    )
    """,
    "CREATE INDEX ix_reviews_status ON reviews (status, opened_at)",
    """
    CREATE TABLE rewards (
        id UUID NOT NULL,
        referral_id UUID NOT NULL,
        reward_type VARCHAR(32) NOT NULL,
        player_id VARCHAR(64) NOT NULL,
        amount_minor BIGINT NOT NULL,
        currency VARCHAR(3) NOT NULL,
        status VARCHAR(32) NOT NULL,
        held_until TIMESTAMP WITH TIME ZONE,
        cycle INTEGER DEFAULT 0 NOT NULL,
        deposit_event_id VARCHAR(64) NOT NULL,
        campaign_version_id UUID NOT NULL,
        assessment_id UUID,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_rewards PRIMARY KEY (id),
        CONSTRAINT uq_rewards_referral_id_reward_type UNIQUE (referral_id, reward_type),
        CONSTRAINT ck_rewards_positive CHECK (amount_minor > 0),
        CONSTRAINT fk_rewards_referral_id FOREIGN KEY (referral_id) REFERENCES referrals (id),
        CONSTRAINT fk_rewards_campaign_version_id FOREIGN KEY (campaign_version_id)
            REFERENCES campaign_versions (id)
    )
    """,
    "CREATE INDEX ix_rewards_player ON rewards (player_id, created_at)",
    """
    CREATE TABLE timeline (
        id UUID NOT NULL,
        referral_id UUID NOT NULL,
        step INTEGER NOT NULL,
        stage VARCHAR(32) NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT,
        recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_timeline PRIMARY KEY (id),
        CONSTRAINT uq_timeline_referral_id_step UNIQUE (referral_id, step),
        CONSTRAINT fk_timeline_referral_id FOREIGN KEY (referral_id) REFERENCES referrals (id)
    )
    """,
    """
    CREATE TABLE transfers (
        id UUID NOT NULL,
        movement VARCHAR(32) NOT NULL,
        amount_minor BIGINT NOT NULL,
        currency VARCHAR(3) NOT NULL,
        campaign_id UUID,
        player_id VARCHAR(64),
        reward_id UUID,
        referral_id UUID,
        resolves_hold_id UUID,
        reference TEXT,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_transfers PRIMARY KEY (id),
        CONSTRAINT ck_transfers_positive CHECK (amount_minor > 0),
        CONSTRAINT ck_transfers_resolves_a_hold
            CHECK ((movement in ('release', 'void')) = (resolves_hold_id is not null)),
        CONSTRAINT fk_transfers_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaigns (id),
        CONSTRAINT fk_transfers_reward_id FOREIGN KEY (reward_id) REFERENCES rewards (id),
        CONSTRAINT fk_transfers_referral_id FOREIGN KEY (referral_id) REFERENCES referrals (id),
        CONSTRAINT uq_transfers_resolves_hold_id UNIQUE (resolves_hold_id),
        CONSTRAINT fk_transfers_resolves_hold_id FOREIGN KEY (resolves_hold_id)
            REFERENCES transfers (id)
    )
    """,
    "CREATE INDEX ix_transfers_player ON transfers (player_id, recorded_at)",
    "CREATE INDEX ix_transfers_reward ON transfers (reward_id)",
    """
    CREATE TABLE entries (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        transfer_id UUID NOT NULL,
        account_id UUID NOT NULL,
        currency VARCHAR(3) NOT NULL,
        amount_minor BIGINT NOT NULL,
        balance_after_minor BIGINT,
        CONSTRAINT pk_entries PRIMARY KEY (id),
        CONSTRAINT fk_entries_account_id_currency FOREIGN KEY (account_id, currency)
            REFERENCES accounts (id, currency),
        CONSTRAINT ck_entries_moves CHECK (amount_minor <> 0),
        CONSTRAINT fk_entries_transfer_id FOREIGN KEY (transfer_id) REFERENCES transfers (id)
    )
    """,
    "CREATE INDEX ix_entries_account ON entries (account_id, id)",
    "CREATE INDEX ix_entries_transfer ON entries (transfer_id)",
)

CREATED: Final = (
    "api_keys",
    "audit",
    "campaigns",
    "facts",
    "inbox",
    "outbox",
    "players",
    "accounts",
    "campaign_versions",
    "codes",
    "referrals",
    "shares",
    "assessments",
    "attributions",
    "clicks",
    "deliveries",
    "reviews",
    "rewards",
    "timeline",
    "transfers",
    "entries",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in reversed(CREATED):
        op.execute(f"DROP TABLE {table}")
