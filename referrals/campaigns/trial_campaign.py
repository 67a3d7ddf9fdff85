"""The campaign `default` of the embedded stack and of tests; production has only its own."""

from datetime import datetime
from typing import Final

from sqlalchemy import select

from db.engine import Session
from db.tables import Campaign
from domain.attribution.policy import DEFAULT_POLICY
from domain.campaigns import default_offer
from domain.campaigns.terms import LinkOptions
from domain.money import Money
from referrals.access.audit import Actor
from referrals.campaigns.publishing import make_live
from referrals.campaigns.store import FIRST_VERSION, load_version, lock_campaign
from referrals.campaigns.transitions import create_campaign
from referrals.campaigns.views import Draft

TRIAL: Final = Draft(
    slug=default_offer.SLUG,
    name="Bring a friend",
    starts_at=default_offer.STARTS_AT,
    ends_at=None,
    destination=default_offer.DESTINATION,
    budget=Money(10_000_000, "USD"),
    terms=default_offer.TERMS,
    attribution=DEFAULT_POLICY,
    link=LinkOptions(),
)
ACTOR: Final = Actor(name="stack", request_id=None, reason="a stack to try has one campaign")


async def publish_trial_campaign(session: Session, *, at: datetime) -> bool:
    """Publish and fund the campaign where there is no campaign at all; return whether it did.

    No second person has to publish it.
    """
    if await session.scalar(select(Campaign.id).limit(1)) is not None:
        return False
    await create_campaign(session, TRIAL, ACTOR)
    row = await lock_campaign(session, TRIAL.slug)
    if row is None:
        return False
    version = await load_version(session, row, FIRST_VERSION)
    await make_live(session, row, version, ACTOR, at=at)
    return True
