"""The constraints of approvals by people, validated without stopping anybody."""

from typing import Final

from alembic import op

revision = "0056"
down_revision = "0055"

CONSTRAINTS: Final = (
    "ck_approvals_two_people",
    "fk_approvals_person_id",
    "fk_approvals_proposer_id",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for constraint in CONSTRAINTS:
        op.execute(f"ALTER TABLE approvals VALIDATE CONSTRAINT {constraint}")


def downgrade() -> None:
    # A validated constraint checks what an unvalidated one does.
    op.execute("SET LOCAL lock_timeout = '2s'")
