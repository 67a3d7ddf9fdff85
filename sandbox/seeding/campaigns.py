"""The offers of the seeded sportsbook, drafted by one owner and published by another."""

from datetime import datetime
from typing import Any, Final

from sandbox.evaluation.in_process_client import InProcessClient
from sandbox.sportsbook.requests import campaign_draft, usd

TIERS: Final = [
    {"from": 1, "flat": usd(1500)},
    {"from": 3, "flat": usd(2000)},
    {"from": 6, "flat": usd(3000)},
]
PLACES: Final = ["US-NJ", "US-PA", "US-MI"]
OFFERS: Final[dict[str, dict[str, Any]]] = {
    "bring-a-friend": {
        "name": "Bring a friend",
        "budget_minor": 400_000,
        "referee_reward": usd(500),
    },
    "season-opener": {
        "name": "Season opener",
        "budget_minor": 250_000,
        "hold_period": "P2D",
        "minimum_deposit": None,
        "referrer_reward": None,
        "qualifies": {"on": "any_deposit", "minimum": usd(2000), "turnover": None},
        "rewards": [
            {"to": "referrer", "kind": "cash", "amount": {"tiers": TIERS}},
            {"to": "referee", "kind": "bonus_bet", "amount": {"flat": usd(1000)}},
        ],
        "when": {
            "all": [
                {"field": "deposit.method", "op": "not_in", "value": ["voucher"]},
                {
                    "any": [
                        {"field": "referee.jurisdiction", "op": "in", "value": PLACES},
                        {"field": "deposit.amount", "op": "gte", "value": usd(5000)},
                    ]
                },
            ]
        },
        "limits": [{"of": "referrer", "per": "month", "rewards": 10, "over": "defer"}],
    },
    "vip-circle": {
        "name": "VIP circle",
        "budget_minor": 120_000,
        "minimum_deposit": usd(5000),
        "referrer_reward": usd(4000),
        "hold_period": "P3D",
    },
}


async def publish_offers(
    drafter: InProcessClient, publisher: InProcessClient, *, at: datetime
) -> None:
    """Draft and publish each offer as of `at`."""
    for slug, fields in OFFERS.items():
        draft = campaign_draft(slug=slug, starts_at=at, **fields)
        terms = {name: value for name, value in draft["terms"].items() if value is not None}
        await drafter.post("/v1/campaigns", draft | {"terms": terms}, at=at)
        await publisher.post(f"/v1/campaigns/{slug}/publish", {}, at=at)
