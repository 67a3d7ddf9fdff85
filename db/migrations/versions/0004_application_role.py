"""What the application's role may do: what it needs, and no change to what is insert-only."""

from typing import Final

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"

WRITTEN: Final = (
    "players",
    "campaigns",
    "campaign_versions",
    "codes",
    "shares",
    "referrals",
    "clicks",
    "timeline",
    "facts",
    "inbox",
    "deliveries",
    "attributions",
    "rewards",
    "accounts",
    "transfers",
    "entries",
    "assessments",
    "reviews",
    "audit",
    "outbox",
    "api_keys",
)

# A right on one column is also what Postgres asks of whoever locks a row.
CHANGED: Final = {
    "players": "first_heard_at",
    "campaigns": "status, version, starts_at, ends_at, currency",
    "referrals": (
        "referee_id, visitor, stage, until, steps, awaits_funds, signed_up_at, signup_event_id,"
        " attribution_method, attribution_confidence, qualified_by, assessment_id, credited_at"
    ),
    "deliveries": "attempts, next_attempt_at, acknowledged_at",
    "rewards": "status, held_until, cycle, deposit_event_id, assessment_id, changed_at",
    "accounts": "balance_minor",
    "reviews": ("status, score, reasons, escalated_at, decision, reviewer, reason, decided_at"),
    "api_keys": "revoked_at",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
    op.execute(f"GRANT SELECT ON alembic_version TO {role}")
    for table in WRITTEN:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {role}")
    for table, columns in CHANGED.items():
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO {role}")
    op.execute(f"GRANT DELETE ON inbox TO {role}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    # The role itself may serve other databases, so it stays.
    op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
    op.execute(f"REVOKE USAGE ON SCHEMA public FROM {role}")


def _role() -> str:
    """The role's name, quoted; it is made, without a login, where nobody made it."""
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    connection = op.get_bind()
    known = text("SELECT rolname FROM pg_roles WHERE rolname = :name")
    quoted = connection.dialect.identifier_preparer.quote(name)
    if not connection.execute(known, {"name": name}).all():
        op.execute(f"CREATE ROLE {quoted} NOLOGIN")
    return quoted
