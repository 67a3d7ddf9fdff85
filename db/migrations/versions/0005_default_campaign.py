"""No campaign in a fresh database.

Release 0.2 published and funded a campaign `default` here, which production never asked for;
databases that it migrated keep theirs. `referrals up`, `demo` and `bench` publish one of their own.
"""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Leave the database without a campaign."""


def downgrade() -> None:
    """Leave the campaigns, whose rows are insert-only until their tables go."""
