"""Since when a campaign is paused or ended, so that what was in time counts though heard late."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE campaigns ADD COLUMN closed_since TIMESTAMP WITH TIME ZONE")
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    role = op.get_bind().dialect.identifier_preparer.quote(name)
    op.execute(f"GRANT UPDATE (closed_since) ON campaigns TO {role}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE campaigns DROP COLUMN closed_since")
