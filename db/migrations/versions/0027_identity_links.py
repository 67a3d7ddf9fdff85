"""Identity links, the clusters of players that hard links make, and merges of those.

Facts that were routed before have no links.
"""

from typing import Final

from alembic import op

revision = "0027"
down_revision = "0026"

TABLES: Final = (
    """
    CREATE TABLE identity_links (
        kind VARCHAR(32) NOT NULL,
        value TEXT NOT NULL,
        player_id VARCHAR(64) NOT NULL,
        is_strong BOOLEAN NOT NULL DEFAULT false,
        first_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
        last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_identity_links PRIMARY KEY (kind, value, player_id)
    )
    """,
    "CREATE INDEX ix_identity_links_player ON identity_links (player_id, kind, last_seen_at)",
    "CREATE INDEX ix_identity_links_first_seen ON identity_links (kind, value, first_seen_at)",
    """
    CREATE TABLE player_clusters (
        player_id VARCHAR(64) NOT NULL,
        cluster_id UUID NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        CONSTRAINT pk_player_clusters PRIMARY KEY (player_id)
    )
    """,
    "CREATE INDEX ix_player_clusters_cluster ON player_clusters (cluster_id, player_id)",
    """
    CREATE TABLE cluster_merges (
        id UUID NOT NULL,
        player_id VARCHAR(64) NOT NULL,
        cluster_id UUID NOT NULL,
        kinds TEXT[] NOT NULL,
        moved TEXT[] NOT NULL,
        merged_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        followed_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_cluster_merges PRIMARY KEY (id),
        CONSTRAINT ck_cluster_merges_followed CHECK (followed_at >= merged_at)
    )
    """,
    """
    CREATE INDEX ix_cluster_merges_open ON cluster_merges (merged_at, id)
     WHERE followed_at IS NULL
    """,
)
GRANTS: Final = {
    "identity_links": "SELECT, INSERT, UPDATE (is_strong, first_seen_at, last_seen_at)",
    "player_clusters": "SELECT, INSERT, UPDATE (cluster_id, changed_at)",
    "cluster_merges": "SELECT, INSERT, UPDATE (followed_at)",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for statement in TABLES:
        op.execute(statement)
    # Null for facts that earlier releases record: their links are made of the body.
    op.execute("ALTER TABLE facts ADD COLUMN matching JSONB")
    role = _role()
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO {role}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE facts DROP COLUMN matching")
    for table in reversed(GRANTS):
        op.execute(f"DROP TABLE {table}")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
