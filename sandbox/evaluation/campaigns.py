"""The campaigns of the simulation: one for each attribution rule or kind of link."""

from datetime import datetime
from typing import Any, Final

from sandbox.evaluation.in_process_client import InProcessClient
from sandbox.sportsbook.requests import campaign_draft

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
            "order": [{"methods": list(tier), "touch": "first"} for tier in DEFAULT_ORDER]
        }
    },
    LANDING: {"link": {"opens": "landing"}},
}


async def publish_campaigns(
    drafter: InProcessClient, publisher: InProcessClient, *, starts_at: datetime
) -> None:
    """Draft each campaign as one owner and publish it as another."""
    for slug, options in CAMPAIGNS.items():
        await drafter.post("/v1/campaigns", _draft(slug, starts_at) | options, at=starts_at)
        await publisher.post(f"/v1/campaigns/{slug}/publish", {}, at=starts_at)


def _draft(slug: str, starts_at: datetime) -> dict[str, Any]:
    name = f"The simulation's offer: {slug}"
    return campaign_draft(slug=slug, name=name, starts_at=starts_at, budget_minor=BUDGET_MINOR)
