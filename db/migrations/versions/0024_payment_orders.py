"""Payment orders to a wallet outside, and the holds of a reward that waits for its payment.

Each statement may be repeated, because the first ones are committed before the check is validated.
"""

from typing import Final

from alembic import op

revision = "0024"
down_revision = "0023"

TABLE: Final = """
    CREATE TABLE IF NOT EXISTS payment_orders (
        id UUID NOT NULL,
        seq BIGINT GENERATED ALWAYS AS IDENTITY,
        player_id VARCHAR(64) NOT NULL,
        referral_id UUID NOT NULL,
        reward_id UUID NOT NULL,
        kind VARCHAR(32) NOT NULL,
        cycle INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        reason VARCHAR(64) NOT NULL,
        gross_minor BIGINT NOT NULL,
        currency VARCHAR(3) NOT NULL,
        review_id UUID,
        status VARCHAR(32) NOT NULL DEFAULT 'pending',
        amount_minor BIGINT,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        fault TEXT,
        posted_minor BIGINT,
        refusal TEXT,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        resolved_at TIMESTAMP WITH TIME ZONE,
        booked_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_payment_orders PRIMARY KEY (id),
        CONSTRAINT uq_payment_orders_seq UNIQUE (seq),
        CONSTRAINT fk_payment_orders_referral_id
            FOREIGN KEY (referral_id) REFERENCES referrals (id),
        CONSTRAINT fk_payment_orders_reward_id FOREIGN KEY (reward_id) REFERENCES rewards (id),
        CONSTRAINT ck_payment_orders_kind CHECK (kind IN ('reward', 'reversal', 'reinstatement')),
        CONSTRAINT ck_payment_orders_status CHECK (
            status IN ('pending', 'posted', 'refused', 'cancelled')
        ),
        CONSTRAINT ck_payment_orders_positive CHECK (gross_minor > 0),
        CONSTRAINT ck_payment_orders_amount CHECK (amount_minor BETWEEN 0 AND gross_minor),
        CONSTRAINT ck_payment_orders_posted CHECK (
            (status = 'posted') = (posted_minor IS NOT NULL)
        ),
        CONSTRAINT ck_payment_orders_posted_amount CHECK (posted_minor BETWEEN 0 AND amount_minor),
        CONSTRAINT ck_payment_orders_refused CHECK ((status = 'refused') = (refusal IS NOT NULL)),
        CONSTRAINT ck_payment_orders_resolved CHECK (
            (status = 'pending') = (resolved_at IS NULL)
        ),
        CONSTRAINT ck_payment_orders_booked CHECK (booked_at IS NULL OR status = 'posted')
    )
"""
INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS ix_payment_orders_referral ON payment_orders (referral_id)",
    "CREATE INDEX IF NOT EXISTS ix_payment_orders_resolved ON payment_orders (resolved_at)",
    """
    CREATE INDEX IF NOT EXISTS ix_payment_orders_pending ON payment_orders (player_id, seq)
     WHERE status = 'pending'
    """,
    """
    CREATE INDEX IF NOT EXISTS ix_payment_orders_due ON payment_orders (next_attempt_at)
     WHERE status = 'pending'
    """,
    """
    CREATE INDEX IF NOT EXISTS ix_payment_orders_unbooked ON payment_orders (player_id)
     WHERE status = 'posted' AND booked_at IS NULL
    """,
)
CHANGED: Final = (
    "status, amount_minor, attempts, next_attempt_at, fault, posted_minor, refusal, resolved_at,"
    " booked_at"
)
REASONS: Final = "'hold_period', 'review', 'ineligible', 'funds'"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(TABLE)
    for index in INDEXES:
        op.execute(index)
    _replace_reasons(f"{REASONS}, 'payment_pending', 'payment_refused'")
    role = _role()
    op.execute(f"GRANT SELECT, INSERT ON payment_orders TO {role}")
    op.execute(f"GRANT UPDATE ({CHANGED}) ON payment_orders TO {role}")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE holds VALIDATE CONSTRAINT ck_holds_reason")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    # Holds that name a payment stay, and are not looked at.
    _replace_reasons(REASONS)
    op.execute("DROP TABLE payment_orders")


def _replace_reasons(words: str) -> None:
    op.execute("ALTER TABLE holds DROP CONSTRAINT IF EXISTS ck_holds_reason")
    op.execute(
        f"ALTER TABLE holds ADD CONSTRAINT ck_holds_reason CHECK (reason IN ({words})) NOT VALID"
    )


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
