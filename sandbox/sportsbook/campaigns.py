"""Offers that the sandbox drafts."""

from typing import Any

from sandbox.sportsbook.events import ago, unique, usd


def draft(
    *,
    budget_minor: int = 1_000_000,
    ends_at: str | None = None,
    opens: str = "destination",
    **terms: object,
) -> dict[str, Any]:
    """$10 to the referrer for a first deposit of $10, unless `terms` say otherwise."""
    return {
        "link": {"opens": opens},
        "slug": unique("offer"),
        "name": "An offer of the sandbox",
        "starts_at": ago(days=365).isoformat(),
        "ends_at": ends_at,
        "destination": "https://book.example/signup",
        "budget": usd(budget_minor),
        "terms": {
            "signup_window": "P30D",
            "deposit_window": "P30D",
            "minimum_deposit": usd(1000),
            "hold_period": "PT0S",
            "review_period": "P3D",
            "chargeback_window": "P120D",
            "lateness_grace": "PT1H",
            "referrer_reward": usd(1000),
            "referee_reward": None,
            **terms,
        },
    }
