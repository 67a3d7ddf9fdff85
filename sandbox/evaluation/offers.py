"""The campaigns that the simulation invites under: one for each way to decide that it compares."""

from datetime import datetime
from typing import Any, Final

from sandbox.evaluation.door import Door

LAST_TOUCH: Final = "last-touch"
FIRST_TOUCH: Final = "first-touch"
LANDING: Final = "landing"
BUDGET_MINOR: Final = 10**12
DEFAULT_ORDER: Final = (
    ("typed_code",),
    ("referral_token", "universal_link", "qr_code"),
    ("install_referrer",),
    ("clipboard",),
    ("cookie",),
    ("probabilistic",),
)
CAMPAIGNS: Final[dict[str, dict[str, Any]]] = {
    LAST_TOUCH: {},
    FIRST_TOUCH: {
        "attribution": {
            "order": [{"methods": list(step), "touch": "first"} for step in DEFAULT_ORDER]
        }
    },
    LANDING: {"link": {"opens": "landing"}},
}


async def publish(drafter: Door, publisher: Door, *, starts_at: datetime) -> None:
    """Draft each as one owner and publish it as another."""
    for slug, options in CAMPAIGNS.items():
        await drafter.post("/v1/campaigns", _draft(slug, starts_at) | options, at=starts_at)
        await publisher.post(f"/v1/campaigns/{slug}/publish", {}, at=starts_at)


def _draft(slug: str, starts_at: datetime) -> dict[str, Any]:
    """$10 for a deposit of $10 within 30 days of a signup within 30 days."""
    return {
        "slug": slug,
        "name": f"The simulation's offer: {slug}",
        "starts_at": starts_at.isoformat(),
        "destination": "https://book.example/signup",
        "budget": _usd(BUDGET_MINOR),
        "terms": {
            "signup_window": "P30D",
            "deposit_window": "P30D",
            "minimum_deposit": _usd(1000),
            "hold_period": "PT0S",
            "review_period": "P3D",
            "chargeback_window": "P120D",
            "lateness_grace": "PT1H",
            "referrer_reward": _usd(1000),
        },
    }


def _usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}
