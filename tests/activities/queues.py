"""Campaigns whose money is short, and the referrals that wait for it, moved by their acts."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final
from uuid import UUID

from sqlalchemy import update

from db.engine import Database
from db.tables import Delivery
from domain.campaigns.options import DEFAULT_OPTIONS, CampaignOptions
from domain.campaigns.publishing import Ceilings
from domain.campaigns.terms import Terms
from domain.campaigns.variants import Variant
from domain.intake.facts import Deposit, TakeBack
from domain.lifecycle.referral import Stage
from domain.lifecycle.signals import LOOK
from referrals.access.audit import Actor
from referrals.campaigns import funding as budgets
from referrals.campaigns import publishing, transitions
from referrals.campaigns import views as campaign_views
from referrals.campaigns.budget import Funding
from referrals.campaigns.outcomes import CampaignTransition, TransitionOutcome
from referrals.campaigns.views import Draft
from tests.activities.referral_acts import ReferralActs, sign_up
from tests.builders import NOW, TERMS, Offer, an_offer, chargeback, deposit, unique, usd

APPROVER: Final = Actor(name="approver", request_id=None, reason="a test")
MARKETER: Final = Actor(name="marketer", request_id=None, reason="a test")


@dataclass(slots=True)
class Queue:
    """A campaign whose rewards are 1000 each, and the referrals under it."""

    database: Database
    offer: Offer
    acts: dict[UUID, ReferralActs] = field(default_factory=dict)
    paid: dict[UUID, Deposit] = field(default_factory=dict)

    async def qualifies(self, *, referrer_id: str | None = None) -> UUID:
        """Let a new referral sign up and deposit, and credit it as its workflow does."""
        acts = await self.deposits(referrer_id=referrer_id)
        await acts.credit()
        return acts.row.id

    async def deposits(self, *, referrer_id: str | None = None) -> ReferralActs:
        acts = await sign_up(self.database, offer=self.offer, referrer_id=referrer_id)
        self.acts[acts.row.id] = acts
        self.paid[acts.row.id] = deposit(acts.referee_id)
        await acts.receives(self.paid[acts.row.id])
        return acts

    async def takes_back(self, referral_id: UUID, kind: TakeBack = TakeBack.CHARGEBACK) -> None:
        await self.acts[referral_id].receives(chargeback(self.paid[referral_id], kind))

    async def funds(self, minor: int) -> None:
        funding = Funding(usd(minor), unique("top-up"))
        async with self.database.transaction() as session:
            slug = self.offer.campaign.slug
            await budgets.fund_campaign(session, slug, funding, MARKETER, at=NOW)

    async def ends(self) -> TransitionOutcome:
        async with self.database.transaction() as session:
            slug, end = self.offer.campaign.slug, CampaignTransition.END
            return await transitions.apply_transition(session, slug, end, MARKETER, at=NOW)

    async def revises(self, **changes: Any) -> TransitionOutcome:  # noqa: ANN401 - fields of a draft
        """Write a new version of the campaign, and publish it as another person."""
        async with self.database.transaction() as session:
            view = await campaign_views.find_campaign(session, self.offer.campaign.slug)
            assert view
            content = {field.name: getattr(view, field.name) for field in fields(Draft)}
            draft = Draft(**(content | changes))
            outcome = await transitions.revise_campaign(session, draft, MARKETER)
            if outcome is not TransitionOutcome.CHANGED:
                return outcome
            return await publishing.publish_campaign(
                session, draft.slug, APPROVER, ceilings=Ceilings(), at=NOW
            )

    async def woken(self) -> list[UUID]:
        """Take the pending wake-ups, in the order in which they are carried."""
        query = (
            update(Delivery)
            .where(Delivery.kind == LOOK, Delivery.acknowledged_at.is_(None))
            .where(Delivery.referral_id.in_(self.acts))
            .values(acknowledged_at=NOW)
            .returning(Delivery.id, Delivery.referral_id)
        )
        async with self.database.transaction() as session:
            rows = (await session.execute(query)).all()
        return [row.referral_id for row in sorted(rows, key=lambda row: row.id)]

    async def acts_on_wake_ups(self) -> list[UUID]:
        """Run the acts of those that are woken, until nobody is; return them in that order."""
        seen: list[UUID] = []
        while woken := await self.woken():
            for referral_id in woken:
                await self.acts[referral_id].wake()
            seen += woken
        return seen

    async def stages(self, referral_ids: Sequence[UUID]) -> list[Stage]:
        return [(await self.acts[id_].stored_row()).stage for id_ in referral_ids]


async def a_queue(
    database: Database,
    *,
    budget: int = 0,
    terms: Terms = TERMS,
    options: CampaignOptions = DEFAULT_OPTIONS,
    variants: tuple[Variant, ...] = (),
) -> Queue:
    async with database.transaction() as session:
        offer = await an_offer(
            session, terms=terms, budget=usd(budget), options=options, variants=variants
        )
        return Queue(database, offer)


async def a_queue_of(
    database: Database, waiting: int, *, paid: int = 0
) -> tuple[Queue, list[UUID]]:
    """Build a campaign that could pay `paid` referrals and lets `waiting` ones wait behind them."""
    queue = await a_queue(database, budget=1000 * paid)
    ids = [await queue.qualifies() for _ in range(paid + waiting)]
    assert await queue.stages(ids) == [Stage.REWARDED] * paid + [Stage.DEFERRED] * waiting
    return queue, ids
