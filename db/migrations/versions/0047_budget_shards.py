"""Shards of a campaign's balance, and a view of the whole; one row as before until one is told.

A process of an earlier release knows the account's own row, which is a part of the balance: it
spends from this part alone. A downgrade puts each balance back into one row. Each statement may be
repeated, because the first ones are committed before the index.
"""

from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE accounts ADD COLUMN IF NOT EXISTS shards SMALLINT")
    op.execute("ALTER TABLE accounts DROP CONSTRAINT IF EXISTS ck_accounts_shards")
    op.execute("""
        ALTER TABLE accounts ADD CONSTRAINT ck_accounts_shards
            CHECK (shards IS NULL OR shards BETWEEN 1 AND 64 AND book = 'campaign') NOT VALID
    """)
    # Room on each page for the new versions of its rows, which change all the time.
    op.execute("""
        CREATE TABLE IF NOT EXISTS budget_shards (
            account_id UUID NOT NULL CONSTRAINT fk_budget_shards_account_id_accounts
                REFERENCES accounts (id),
            shard SMALLINT NOT NULL CONSTRAINT ck_budget_shards_shard
                CHECK (shard BETWEEN 0 AND 63),
            balance_minor BIGINT CONSTRAINT ck_budget_shards_not_negative
                CHECK (balance_minor >= 0),
            CONSTRAINT pk_budget_shards PRIMARY KEY (account_id, shard)
        ) WITH (fillfactor = 20)
    """)
    op.execute("""
        CREATE OR REPLACE VIEW campaign_budgets AS
        SELECT id AS account_id, campaign_id, currency,
               (balance_minor + coalesce((
                   SELECT sum(balance_minor) FROM budget_shards WHERE account_id = accounts.id
               ), 0))::bigint AS free_minor
          FROM accounts WHERE book = 'campaign'
    """)
    role = _role()
    op.execute(f"GRANT UPDATE (shards) ON accounts TO {role}")
    op.execute(f"GRANT SELECT, INSERT ON budget_shards TO {role}")
    op.execute(f"GRANT UPDATE (balance_minor) ON budget_shards TO {role}")
    op.execute(f"GRANT SELECT ON campaign_budgets TO {role}")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE accounts VALIDATE CONSTRAINT ck_accounts_shards")
        op.execute("""
            CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_accounts_campaign
                ON accounts (campaign_id) WHERE campaign_id IS NOT NULL
        """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("LOCK TABLE budget_shards IN ACCESS EXCLUSIVE MODE")
    op.execute("""
        UPDATE accounts SET balance_minor = campaign_budgets.free_minor
          FROM campaign_budgets
         WHERE campaign_budgets.account_id = accounts.id
           AND campaign_budgets.free_minor <> accounts.balance_minor
    """)
    op.execute("DROP INDEX IF EXISTS ix_accounts_campaign")
    op.execute("DROP VIEW campaign_budgets")
    op.execute("DROP TABLE budget_shards")
    op.execute("ALTER TABLE accounts DROP COLUMN shards")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
