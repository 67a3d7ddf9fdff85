"""Payment orders of a part of a reward, which may be nothing.

Each statement may be repeated, because the first ones are committed before the check is validated.
"""

from alembic import op

revision = "0058"
down_revision = "0060"


def upgrade() -> None:
    _replace_check("gross_minor >= 0")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE payment_orders VALIDATE CONSTRAINT ck_payment_orders_positive")


def downgrade() -> None:
    # Not validated: orders of nothing stay as they are, and no more are written.
    _replace_check("gross_minor > 0")


def _replace_check(condition: str) -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE payment_orders DROP CONSTRAINT IF EXISTS ck_payment_orders_positive")
    op.execute(
        "ALTER TABLE payment_orders ADD CONSTRAINT ck_payment_orders_positive"
        f" CHECK ({condition}) NOT VALID"
    )
