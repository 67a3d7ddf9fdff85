"""Builders of facts and rows for tests; every id is random, so that tests never meet."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select

from courier.route_player import route_player
from db.engine import Session
from db.tables import (
    AuditRow,
    Campaign,
    CampaignPublication,
    CampaignVersion,
    ReferralCode,
    ReferralRow,
)
from domain.attribution.policy import DEFAULT_POLICY, Policy
from domain.campaigns.options import DEFAULT_OPTIONS, CampaignOptions
from domain.campaigns.terms import CampaignStatus, Terms
from domain.campaigns.variants import Variant
from domain.codes import code_from_bytes
from domain.intake.facts import (
    Chargeback,
    Choice,
    Decision,
    Deposit,
    PlayerStatus,
    Signup,
    StatusChange,
    TakeBack,
)
from domain.ledger.movements import Movement, Transfer
from domain.lifecycle.signals import INVITATION
from domain.money import Money
from referrals.attribution.tokens import Tokens
from referrals.campaigns.variants import variants_json
from referrals.campaigns.versions import options_json, policy_json, terms_json
from referrals.intake import facts
from referrals.ledger import posting as ledger
from referrals.lifecycle.deliveries import NewDelivery
from referrals.lifecycle.stages import open_referral

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOKENS: Final = Tokens("another key for tests")


def usd(minor: int = 1000) -> Money:
    return Money(minor, "USD")


TERMS: Final = Terms(
    signup_window=timedelta(days=30),
    deposit_window=timedelta(days=30),
    minimum_deposit=usd(),
    hold_period=timedelta(0),
    review_period=timedelta(days=3),
    chargeback_window=timedelta(days=120),
    lateness_grace=timedelta(hours=1),
    referrer_reward=usd(),
)


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid4().hex[:12]}"


def a_player_id() -> str:
    return unique("player")


def signup(
    player_id: str | None = None,
    *,
    at: datetime = NOW,
    **fields: Any,  # noqa: ANN401 - any field of the fact
) -> Signup:
    plain = Signup(
        event_id=unique("signup"),
        occurred_at=at,
        player_id=player_id or a_player_id(),
        platform="web",
        jurisdiction="US-NJ",
        currency="USD",
    )
    return replace(plain, **fields)


def deposit(
    player_id: str | None = None,
    *,
    minor: int = 1000,
    at: datetime | None = None,
    **fields: Any,  # noqa: ANN401 - any field of the fact
) -> Deposit:
    plain = Deposit(
        event_id=unique("deposit"),
        occurred_at=at or NOW + timedelta(hours=1),
        player_id=player_id or a_player_id(),
        deposit_id=unique("d"),
        amount=usd(minor),
    )
    return replace(plain, **fields)


def chargeback(
    of_deposit: Deposit,
    kind: TakeBack = TakeBack.CHARGEBACK,
    *,
    at: datetime | None = None,
    **fields: Any,  # noqa: ANN401 - any field of the fact
) -> Chargeback:
    plain = Chargeback(
        event_id=unique("chargeback"),
        occurred_at=at or of_deposit.occurred_at + timedelta(hours=1),
        player_id=of_deposit.player_id,
        deposit_id=of_deposit.deposit_id,
        kind=kind,
    )
    return replace(plain, **fields)


def status_change(
    player_id: str, status: PlayerStatus = PlayerStatus.SELF_EXCLUDED, *, at: datetime = NOW
) -> StatusChange:
    return StatusChange(
        event_id=unique("player"), occurred_at=at, player_id=player_id, status=status
    )


def decision(choice: Choice = Choice.APPROVE, *, at: datetime = NOW) -> Decision:
    return Decision(
        event_id=unique("decision"),
        occurred_at=at,
        reviewer="reviewer",
        decision=choice,
        reason="looked into it",
    )


_ACTIONS_TO: Final = {
    CampaignStatus.DRAFT: ("create",),
    CampaignStatus.PUBLISHED: ("create", "publish"),
    CampaignStatus.PAUSED: ("create", "publish", "pause"),
    CampaignStatus.ENDED: ("create", "publish", "end"),
}
"""Transitions by which people bring a campaign to a status."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A campaign with the version that it promises now."""

    campaign: Campaign
    version: CampaignVersion


async def an_offer(  # noqa: PLR0913 - each is a part of a version
    session: Session,
    *,
    terms: Terms = TERMS,
    budget: Money | None = None,
    status: CampaignStatus = CampaignStatus.PUBLISHED,
    ends_at: datetime | None = None,
    policy: Policy = DEFAULT_POLICY,
    slug: str | None = None,
    options: CampaignOptions = DEFAULT_OPTIONS,
    variants: tuple[Variant, ...] = (),
) -> Offer:
    """Build a campaign with a budget of $1,000, or of `budget`, which may be zero."""
    budget = budget or Money(100_000, terms.referrer_reward.currency)
    campaign = Campaign(
        id=uuid4(),
        slug=slug or unique("campaign"),
        status=status,
        version=1,
        starts_at=NOW - timedelta(days=365),
        ends_at=ends_at,
        currency=budget.currency,
    )
    session.add(campaign)
    await session.flush()
    version = CampaignVersion(
        id=uuid4(),
        campaign_id=campaign.id,
        version=1,
        name="An offer",
        destination="https://book.example/signup",
        budget_minor=budget.minor,
        terms=terms_json(terms),
        attribution=policy_json(policy),
        options=options_json(options),
        author="tests",
        variants=variants_json(terms, variants),
    )
    session.add(version)
    for action in _ACTIONS_TO[status]:
        _sign(session, campaign, action, version=version.version)
    if status is not CampaignStatus.DRAFT:
        published = CampaignPublication(campaign_id=campaign.id, version=1, published_by="tests")
        session.add(published)
    await session.flush()
    if budget.minor:
        await fund(session, campaign, budget)
    return Offer(campaign, version)


async def fund(session: Session, campaign: Campaign, amount: Money) -> None:
    transfer = Transfer(id=uuid4(), movement=Movement.FUND, amount=amount, campaign_id=campaign.id)
    reference = unique("funding")
    await ledger.post(session, [transfer], at=NOW, reference=reference)
    _sign(session, campaign, "fund", reference=reference, minor=amount.minor)


def _sign(session: Session, campaign: Campaign, action: str, **details: str | int) -> None:
    session.add(
        AuditRow(
            actor="tests",
            action=f"campaign.{action}",
            subject=f"campaign:{campaign.slug}",
            reason="a test needs it",
            details=details,
        )
    )


async def a_code(
    session: Session, offer: Offer | None = None, *, player_id: str | None = None
) -> ReferralCode:
    """Build a code of a new player, or return the one that `player_id` has in the campaign."""
    offer = offer or await an_offer(session)
    theirs = select(ReferralCode).filter_by(player_id=player_id, campaign_id=offer.campaign.id)
    if player_id and (known := await session.scalar(theirs)):
        return known
    code = ReferralCode(
        code=code_from_bytes(uuid4().bytes),
        player_id=player_id or unique("referrer"),
        campaign_id=offer.campaign.id,
    )
    session.add(code)
    await session.flush()
    return code


async def an_invitation(
    session: Session,
    offer: Offer | None = None,
    *,
    code: ReferralCode | None = None,
    invited_at: datetime = NOW,
    visitor: str | None = None,
) -> ReferralRow:
    """Build a referral at INVITED; a given `code` needs the `offer` of its campaign."""
    offer = offer or await an_offer(session)
    return await open_referral(
        session,
        referral_id=uuid4(),
        code=code or await a_code(session, offer),
        campaign=offer.campaign,
        version=offer.version,
        invited_at=invited_at,
        visitor=visitor,
    )


async def a_bound_referral(
    session: Session,
    offer: Offer | None = None,
    *,
    at: datetime = NOW,
    referrer_id: str | None = None,
) -> ReferralRow:
    """Build a referral at SIGNED_UP whose new player typed the code."""
    code = await a_code(session, offer, player_id=referrer_id)
    signup_fact = signup(at=at, code=code.code)
    await facts.record_fact(session, signup_fact, player_id=signup_fact.player_id, door="http")
    await route_player(session, signup_fact.player_id, tokens=TOKENS, now=at)
    query = select(ReferralRow).where(ReferralRow.referee_id == signup_fact.player_id)
    return (await session.scalars(query)).one()


def delivery_of_invitation(referral_id: UUID) -> NewDelivery:
    """Return the delivery that starts the workflow of a new invitation."""
    return NewDelivery(kind=INVITATION, event_id=str(referral_id), signal=None)
