"""Campaigns of a signup's touches: which of them apply to it, and which goes first."""

from dataclasses import replace
from datetime import datetime

from db.engine import ReadSession
from domain.attribution.decision import Touch
from domain.attribution.policy import Refusal, refusal_of_schedule
from domain.campaigns.switches import scopes_of
from domain.intake.facts import Signup
from referrals.campaigns import offers, switches
from referrals.campaigns.offers import Offer


async def refusal_of_touch(
    session: ReadSession, signup: Signup, offer: Offer | None, *, at: datetime | None = None
) -> Refusal | None:
    """Return why a code, or a link that another player used up, does not invite a signup.

    A switch counts that was off `at` the time of the touch, the signup's where there is none,
    whatever it is now.
    """
    if offer is None:
        return Refusal.UNKNOWN_CODE
    refusal = refusal_of_schedule(offer.schedule, at=signup.occurred_at)
    if refusal is not None:
        return refusal
    scopes = scopes_of(campaign=offer.campaign, jurisdiction=signup.jurisdiction)
    is_off = await switches.find_off(session, scopes, at=at or signup.occurred_at)
    return Refusal.SWITCHED_OFF if is_off else None


async def with_priorities(session: ReadSession, touches: list[Touch]) -> list[Touch]:
    """Return the touches with their campaigns' priorities, where several campaigns apply."""
    slugs = {touch.campaign for touch in touches if touch.campaign}
    if len(slugs) == 1:
        return touches
    priorities = await offers.load_priorities(session, slugs) if slugs else {}
    return [replace(touch, priority=priorities.get(touch.campaign or "")) for touch in touches]
