"""Rewards of bonus bets, on accounts of their own, apart from the players' cash.

The player of a bonus account is in a column of its own: release 0.2, which reads `player_id`, goes
on to see cash alone. The kind of a reward of cash stays null, so that the chain's leaves stay as
they are. Each statement may be repeated, because the first ones are committed before the indexes.
"""

from importlib import import_module
from typing import Final

from alembic import op

revision = "0039"
down_revision = "0038"

NO_PLAYER: Final = "player_id IS NULL AND bonus_player_id IS NULL"
OWNERS: Final = import_module("db.migrations.versions.0013_guards_know_owners")
UNSPEND: Final = import_module("db.migrations.versions.0017_unspend_and_funds_queue")
CHECK_TRANSFER: Final[str] = OWNERS.CHECK_TRANSFER.replace(OWNERS.ENDS, UNSPEND.ENDS)
# An account is of its transfer's player, and of the kind of its transfer's reward.
OWNED: Final = "ELSE a.player_id = t.player_id END"
OWNED_BY_KIND: Final = """
                         WHEN w.kind = 'bonus_bet'
                             THEN a.bonus_player_id IS NOT DISTINCT FROM t.player_id
                         ELSE a.player_id IS NOT DISTINCT FROM t.player_id END"""
JOINED: Final = "LEFT JOIN accounts a ON a.id = e.account_id"
CHECK_TRANSFER_BY_KIND: Final = CHECK_TRANSFER.replace(OWNED, OWNED_BY_KIND.strip()).replace(
    JOINED, f"{JOINED}\n           LEFT JOIN rewards w ON w.id = t.reward_id"
)
WORDS: Final = import_module("db.migrations.versions.0002_words")
OWNER: Final[str] = next(rule for table, _, rule in WORDS.RULES if table == "accounts")
OWNER_OF_A_KIND: Final = OWNER.replace("player_id IS NULL", NO_PLAYER).replace(
    "player_id IS NOT NULL", "num_nonnulls(player_id, bonus_player_id) = 1"
)
KINDS: Final = "kind IN ('cash', 'bonus_bet')"
INDEXES: Final = (
    """
    CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_accounts_bonus_player
        ON accounts (bonus_player_id) WHERE bonus_player_id IS NOT NULL
    """,
    """
    CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS uq_rewards_side_and_kind
        ON rewards (referral_id, reward_type, (coalesce(kind, 'cash')))
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE accounts ADD COLUMN IF NOT EXISTS bonus_player_id VARCHAR(64)")
    op.execute("ALTER TABLE rewards ADD COLUMN IF NOT EXISTS kind VARCHAR(32)")
    op.execute("ALTER TABLE rewards DROP CONSTRAINT IF EXISTS ck_rewards_kind")
    op.execute(f"ALTER TABLE rewards ADD CONSTRAINT ck_rewards_kind CHECK ({KINDS}) NOT VALID")
    _replace_owner(OWNER_OF_A_KIND)
    op.execute(CHECK_TRANSFER_BY_KIND)
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE rewards VALIDATE CONSTRAINT ck_rewards_kind")
        op.execute("ALTER TABLE accounts VALIDATE CONSTRAINT ck_accounts_owner")
        for index in INDEXES:
            op.execute(index)
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE rewards DROP CONSTRAINT IF EXISTS uq_rewards_referral_id_reward_type")


def downgrade() -> None:
    """Refuse where there are bonus bets: an earlier release has no words for them."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM rewards WHERE kind IS NOT NULL) THEN
                RAISE EXCEPTION 'there are rewards of bonus bets, which this downgrade would lose';
            END IF;
        END $$
    """)
    op.execute(CHECK_TRANSFER)
    _replace_owner(OWNER)
    op.execute("DROP INDEX IF EXISTS uq_rewards_side_and_kind")
    op.execute("ALTER TABLE rewards DROP CONSTRAINT IF EXISTS uq_rewards_referral_id_reward_type")
    op.execute(
        "ALTER TABLE rewards ADD CONSTRAINT uq_rewards_referral_id_reward_type"
        " UNIQUE (referral_id, reward_type)"
    )
    op.execute("ALTER TABLE rewards DROP COLUMN IF EXISTS kind")
    op.execute("ALTER TABLE accounts DROP COLUMN IF EXISTS bonus_player_id")


def _replace_owner(rule: str) -> None:
    op.execute("ALTER TABLE accounts DROP CONSTRAINT IF EXISTS ck_accounts_owner")
    op.execute(f"ALTER TABLE accounts ADD CONSTRAINT ck_accounts_owner CHECK ({rule}) NOT VALID")
