"""Proposals and publications of campaigns' versions, their options, and kill switches."""

from typing import Final

from alembic import op

revision = "0033"
down_revision = "0032"

# Null and empty for what release 0.2 writes: its versions have the dates of their campaign.
COLUMNS: Final = (
    ("campaigns", "proposed_version", "INTEGER"),
    ("campaign_versions", "starts_at", "TIMESTAMP WITH TIME ZONE"),
    ("campaign_versions", "ends_at", "TIMESTAMP WITH TIME ZONE"),
    ("campaign_versions", "options", "JSONB DEFAULT '{}' NOT NULL"),
)
TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS campaign_publications (
        campaign_id UUID NOT NULL,
        version INTEGER NOT NULL,
        published_by TEXT NOT NULL,
        published_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_campaign_publications PRIMARY KEY (campaign_id, version),
        CONSTRAINT fk_campaign_publications_campaign_id
            FOREIGN KEY (campaign_id) REFERENCES campaigns (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS switches (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        scope VARCHAR(96) NOT NULL,
        is_off BOOLEAN NOT NULL,
        reason TEXT NOT NULL,
        switched_by TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_switches PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX IF NOT EXISTS ix_switches_scope ON switches (scope, id)",
)
# Release 0.2 published a draft, and made each later version live as it was written.
PUBLICATIONS_UNTIL_NOW: Final = """
    INSERT INTO campaign_publications (campaign_id, version, published_by, published_at)
    SELECT DISTINCT ON (c.id, v.version) c.id, v.version, a.actor, a.at
      FROM audit a
      JOIN campaigns c ON a.subject = 'campaign:' || c.slug
      JOIN campaign_versions v
        ON v.campaign_id = c.id AND v.version::text = a.details ->> 'version'
     WHERE a.action = 'campaign.publish'
        OR a.action = 'campaign.revise' AND EXISTS (
               SELECT FROM audit p
                WHERE p.subject = a.subject AND p.action = 'campaign.publish' AND p.id < a.id)
     ORDER BY c.id, v.version, a.id
    ON CONFLICT DO NOTHING
"""
REASONS: Final = (
    "'hold_period', 'review', 'ineligible', 'funds', 'payment_pending', 'payment_refused'"
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    for table, column, kind in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {kind}")
    for statement in (*TABLES, PUBLICATIONS_UNTIL_NOW):
        op.execute(statement)
    op.execute(f"GRANT UPDATE (proposed_version) ON campaigns TO {role}")
    for table in ("campaign_publications", "switches"):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {role}")
        op.execute(
            f"CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    _replace_reasons(f"{REASONS}, 'switched_off'")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE holds VALIDATE CONSTRAINT ck_holds_reason")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    # Holds that name a switch stay, and are not looked at.
    _replace_reasons(REASONS)
    for table in ("switches", "campaign_publications"):
        op.execute(f"DROP TABLE {table}")
    for table, column, _ in reversed(COLUMNS):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def _replace_reasons(words: str) -> None:
    op.execute("ALTER TABLE holds DROP CONSTRAINT IF EXISTS ck_holds_reason")
    op.execute(
        f"ALTER TABLE holds ADD CONSTRAINT ck_holds_reason CHECK (reason IN ({words})) NOT VALID"
    )


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
