"""Which words a column knows, and whom an account or a transfer must name."""

from typing import Final

from alembic import op

revision = "0002"
down_revision = "0001"

STAGES: Final = (
    "INVITED SIGNED_UP HELD DEFERRED REWARDED SETTLED"
    " EXPIRED LOST REJECTED UNFUNDED VOIDED REVERSED"
)
KINDS: Final = "signup deposit chargeback wager player decision"
MOVEMENTS: Final = "fund defund hold release void reverse owe recover reinstate forgive spend"

WORDS: Final = (
    ("campaigns", "status", "draft published paused ended"),
    ("referrals", "stage", STAGES),
    ("referrals", "attribution_method", "referral_token typed_code signal"),
    ("timeline", "stage", STAGES),
    ("facts", "kind", KINDS),
    ("inbox", "kind", KINDS),
    ("rewards", "reward_type", "referrer referee"),
    ("rewards", "status", "HELD ISSUED VOID REVERSED DEFERRED"),
    ("accounts", "book", "funding campaign recoverable held available owed spent"),
    ("transfers", "movement", MOVEMENTS),
    ("assessments", "verdict", "pass review block"),
    ("reviews", "status", "open decided closed"),
    ("reviews", "decision", "approve reject"),
)

RULES: Final = (
    (
        "accounts",
        "owner",
        """
        CASE
            WHEN book = 'funding' THEN campaign_id IS NULL AND player_id IS NULL
            WHEN book IN ('campaign', 'recoverable')
                THEN campaign_id IS NOT NULL AND player_id IS NULL
            ELSE campaign_id IS NULL AND player_id IS NOT NULL
        END
        """,
    ),
    (
        "transfers",
        "names_its_reward",
        "(movement IN ('fund', 'defund', 'spend')) = (reward_id IS NULL)",
    ),
    (
        "transfers",
        "names_its_player",
        "movement IN ('fund', 'defund') OR player_id IS NOT NULL",
    ),
    ("codes", "upper_case", "code = upper(code)"),
    ("assessments", "score", "score BETWEEN 0 AND 100"),
    ("rewards", "cycle", "cycle >= 0"),
    (
        "reviews",
        "signed",
        """
        status <> 'decided'
        OR (reviewer IS NOT NULL AND reason IS NOT NULL AND decided_at IS NOT NULL)
        """,
    ),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table, column, words in WORDS:
        listed = ", ".join(f"'{word}'" for word in words.split())
        _check(table, column, f"{column} IN ({listed})")
    for table, name, rule in RULES:
        _check(table, name, rule)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table, name, _ in (*RULES, *WORDS):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{name}")


def _check(table: str, name: str, rule: str) -> None:
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({rule})")
