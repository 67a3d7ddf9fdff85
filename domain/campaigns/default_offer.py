"""The offer of the campaign `default`, whose values stand wherever a draft names none."""

from datetime import UTC, datetime, timedelta
from typing import Final

from domain.campaigns.terms import Terms
from domain.money import Money

SLUG: Final = "default"
STARTS_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)
DESTINATION: Final = "https://book.example/signup"
TIME_ZONE: Final = "UTC"
PRIORITY: Final = 0
TERMS: Final = Terms(
    signup_window=timedelta(days=30),
    deposit_window=timedelta(days=30),
    minimum_deposit=Money(1000, "USD"),
    hold_period=timedelta(0),
    review_period=timedelta(days=3),
    chargeback_window=timedelta(days=120),
    lateness_grace=timedelta(hours=1),
    referrer_reward=Money(1000, "USD"),
)


def minimum_deposit(currency: str) -> Money:
    """Return the minimum deposit of a draft that names none: $10, and none in another currency."""
    own = TERMS.minimum_deposit
    return own if currency == own.currency else Money(0, currency)
