"""Indexes by which what waits, what is owed and what is listed is found however much there is.

Deliveries of a lane are leased in the order in which they are due, where a lease sorted all that
was waiting. Release 0.2 leases by the index of lanes and ids, which stays. Invitations, most of
which never become a signup, are left out of the index of signups.
"""

from typing import Final

from alembic import op

revision = "0046"
down_revision = "0045"

LANE: Final = "((kind = 'invitation')::int)"
INDEXES: Final = {
    "ix_deliveries_lane_due": (
        f"deliveries ({LANE}, next_attempt_at, id) WHERE acknowledged_at IS NULL"
    ),
    "ix_transfers_debts": ("transfers (player_id) WHERE movement IN ('owe', 'recover', 'forgive')"),
    "ix_facts_signup_token": (
        "facts ((body ->> 'referral_token'))"
        " WHERE kind = 'signup' AND (body ->> 'referral_token') IS NOT NULL"
    ),
    "ix_facts_signup_cookie": (
        "facts ((body ->> 'cookie_token'))"
        " WHERE kind = 'signup' AND (body ->> 'cookie_token') IS NOT NULL"
    ),
    "ix_referrals_referee": ("referrals (referee_id, invited_at, id) WHERE referee_id IS NOT NULL"),
    "ix_referrals_newest": "referrals (invited_at, id)",
    "ix_referrals_signups": (
        "referrals (campaign_id, signed_up_at) WHERE signed_up_at IS NOT NULL"
    ),
    "ix_rewards_newest": "rewards (created_at, id)",
    "ix_rewards_status": "rewards (status, created_at, id)",
}
REPLACED: Final = {
    "ix_deliveries_due": "deliveries (next_attempt_at, id) WHERE acknowledged_at IS NULL",
    "ix_referrals_invited": "referrals USING brin (invited_at)",
    "ix_referrals_campaign_signups": "referrals (campaign_id, signed_up_at)",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {columns}")
        for name in REPLACED:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for name, columns in REPLACED.items():
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
