"""The version of the terms that a referrer, with the code, and each side of a referral accepted."""

from alembic import op

revision = "0053"
down_revision = "0052"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    for table in ("codes", "referrals"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS accepted_terms JSONB")
        op.execute(f"GRANT UPDATE (accepted_terms) ON {table} TO {role}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in ("referrals", "codes"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN accepted_terms")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
