"""The campaign `default`, published and funded through the ledger, in every fresh database."""

from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"

BUDGET_MINOR: Final = 10_000_000
AUTHOR: Final = "migration 0005"
TERMS: Final = """
{
    "signup_window": "P30D",
    "deposit_window": "P30D",
    "minimum_deposit": {"minor": 1000, "currency": "USD"},
    "hold_period": "PT0S",
    "review_period": "P3D",
    "chargeback_window": "P120D",
    "lateness_grace": "PT1H",
    "referrer_reward": {"minor": 1000, "currency": "USD"},
    "referee_reward": null
}
"""

# The ids follow the rule of every other account, so that the code finds these.
CAMPAIGN: Final = uuid5(NAMESPACE_OID, "campaign:default")
VERSION: Final = uuid5(CAMPAIGN, "version:1")
FUND: Final = uuid5(CAMPAIGN, "fund:1")
FUNDING_ACCOUNT: Final = uuid5(NAMESPACE_OID, "account:funding::USD")
BUDGET_ACCOUNT: Final = uuid5(NAMESPACE_OID, f"account:campaign:{CAMPAIGN}:USD")

STATEMENTS: Final = (
    """
    INSERT INTO campaigns (id, slug, status, version, starts_at, currency)
    VALUES (:campaign, 'default', 'published', 1, '2000-01-01T00:00:00Z', 'USD')
    """,
    """
    INSERT INTO campaign_versions
        (id, campaign_id, version, name, destination, budget_minor, terms, author)
    VALUES
        (:version, :campaign, 1, 'Bring a friend', 'https://book.example/signup',
         :budget, CAST(:terms AS jsonb), :author)
    """,
    """
    INSERT INTO accounts (id, book, currency, campaign_id, balance_minor)
    VALUES (:funding_account, 'funding', 'USD', NULL, 0),
           (:budget_account, 'campaign', 'USD', :campaign, :budget)
    """,
    """
    INSERT INTO transfers (id, movement, amount_minor, currency, campaign_id, reference, at)
    VALUES (:fund, 'fund', :budget, 'USD', :campaign, 'first budget', now())
    """,
    """
    INSERT INTO entries (transfer_id, account_id, currency, amount_minor, balance_after_minor)
    VALUES (:fund, :funding_account, 'USD', :minus_budget, NULL),
           (:fund, :budget_account, 'USD', :budget, :budget)
    """,
    """
    INSERT INTO audit (actor, action, subject, reason)
    VALUES (:author, 'campaign.publish', 'campaign:default', 'a fresh database has one campaign'),
           (:author, 'campaign.fund', 'campaign:default', 'the first budget of a fresh database')
    """,
)
VALUES: Final[dict[str, UUID | int | str]] = {
    "campaign": CAMPAIGN,
    "version": VERSION,
    "fund": FUND,
    "funding_account": FUNDING_ACCOUNT,
    "budget_account": BUDGET_ACCOUNT,
    "budget": BUDGET_MINOR,
    "minus_budget": -BUDGET_MINOR,
    "terms": TERMS,
    "author": AUTHOR,
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    connection = op.get_bind()
    for statement in STATEMENTS:
        named = text(statement)
        needed = {name: VALUES[name] for name in named.compile().params}
        connection.execute(named, needed)


def downgrade() -> None:
    """Rows that are insert-only stay until their tables go."""
