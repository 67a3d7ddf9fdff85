"""The campaigns of the population: one for whoever comes, one that requires evidence."""

from typing import Any, Final

from sandbox.evaluation.in_process_client import InProcessClient
from sandbox.fraud_evaluation.groups import BEGINS_AT, OPEN, STRICT
from sandbox.sportsbook.requests import campaign_draft

BUDGET_MINOR: Final = 10**12
TERMS: Final[dict[str, dict[str, Any]]] = {
    OPEN: {},
    STRICT: {"requires": ["device_id", "payment_instrument"]},
}
REVIEW_PERIOD: Final = "P90D"
"""Longer than the simulation, in which nobody reviews."""


async def publish_campaigns(drafter: InProcessClient, publisher: InProcessClient) -> None:
    """Draft each campaign as one owner and publish it as another."""
    for slug, terms in TERMS.items():
        draft = campaign_draft(
            slug=slug,
            name=f"The population's offer: {slug}",
            starts_at=BEGINS_AT,
            budget_minor=BUDGET_MINOR,
            review_period=REVIEW_PERIOD,
            **terms,
        )
        await drafter.post("/v1/campaigns", draft, at=BEGINS_AT)
        await publisher.post(f"/v1/campaigns/{slug}/publish", {}, at=BEGINS_AT)
