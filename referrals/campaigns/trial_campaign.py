"""The campaign `default` of the embedded stack and of tests; production has only its own."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import select

from db.engine import Session
from db.tables import Campaign
from domain.attribution.policy import DEFAULT_POLICY
from domain.campaigns.terms import LinkOptions, Terms
from domain.money import Money
from referrals.access.audit import Actor
from referrals.campaigns.transitions import (
    DEFAULT_SLUG,
    CampaignTransition,
    apply_transition,
    create_campaign,
)
from referrals.campaigns.views import Draft

TRIAL: Final = Draft(
    slug=DEFAULT_SLUG,
    name="Bring a friend",
    starts_at=datetime(2000, 1, 1, tzinfo=UTC),
    ends_at=None,
    destination="https://book.example/signup",
    budget=Money(10_000_000, "USD"),
    terms=Terms(
        signup_window=timedelta(days=30),
        deposit_window=timedelta(days=30),
        minimum_deposit=Money(1000, "USD"),
        hold_period=timedelta(0),
        review_period=timedelta(days=3),
        chargeback_window=timedelta(days=120),
        lateness_grace=timedelta(hours=1),
        referrer_reward=Money(1000, "USD"),
    ),
    attribution=DEFAULT_POLICY,
    link=LinkOptions(),
)
ACTOR: Final = Actor(name="stack", request_id=None, reason="a stack to try has one campaign")


async def publish_trial_campaign(session: Session, *, at: datetime) -> bool:
    """Publish and fund the campaign where there is no campaign at all; return whether it did."""
    if await session.scalar(select(Campaign.id).limit(1)) is not None:
        return False
    await create_campaign(session, TRIAL, ACTOR)
    await apply_transition(session, TRIAL.slug, CampaignTransition.PUBLISH, ACTOR, at=at)
    return True
