"""Sources of events: the source of a key, and room for a source's name before an event's id.

A column that may hold longer texts is a change of the catalogue alone. Going down leaves the room
where it is: what is stored may need it, and earlier releases are not in its way.
"""

from typing import Final

from alembic import op

revision = "0026"
down_revision = "0025"

WIDENED: Final = (
    ("assessments", "deposit_event_id"),
    ("attributions", "signup_event_id"),
    ("qualification_facts", "event_id"),
    ("referrals", "qualified_by"),
    ("referrals", "signup_event_id"),
    ("rewards", "deposit_event_id"),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table, column in WIDENED:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE VARCHAR(96)")
    # Null is the default source: earlier releases make keys without it.
    op.execute("ALTER TABLE api_keys ADD COLUMN source VARCHAR(15)")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE api_keys DROP COLUMN source")
