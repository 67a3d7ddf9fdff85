"""A referral moved by its acts, called in the order of its workflow."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from activities.fraud import FraudActivities, FraudProvider
from activities.locked_referrals import LockedReferrals
from activities.messages import ActRequest, Scoring, SignalledFacts
from activities.recent_evidence import RecentEvidence
from activities.referrals import ReferralActivities
from activities.rewards import RewardActivities
from courier.route_player import route_player
from db.engine import Database
from db.tables import ReferralRow, Review
from domain.campaigns.limits.thresholds import NO_THRESHOLDS, Thresholds
from domain.campaigns.terms import Terms
from domain.fraud.rule_sets import RuleSet
from domain.intake.facts import Choice, Fact
from domain.lifecycle.referral import CREDITED_STAGES, Stage, Standing
from domain.money import Money
from domain.privacy import Hasher
from domain.rewards.holds import HoldReason
from referrals.fraud import reviews
from referrals.fraud.reviews import ReviewOutcome
from referrals.intake import facts
from referrals.lifecycle.stages import standing_of
from referrals.rewards import holds
from tests import state
from tests.builders import NOW, TERMS, TOKENS, Offer, a_code, an_offer, decision, deposit, signup
from tests.state import Balances

HASHER: Final = Hasher("a key for tests, not a secret", public_url="https://refer.example")
LATER: Final = NOW + timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class ReferralActs:
    """The acts on one referral."""

    database: Database
    row: ReferralRow
    fraud: FraudActivities
    referrals: ReferralActivities
    rewards: RewardActivities

    @property
    def referee_id(self) -> str:
        assert self.row.referee_id
        return self.row.referee_id

    async def receives(self, *reported: Fact, player_id: str | None = None) -> None:
        player_id = player_id or self.referee_id
        async with self.database.transaction() as session:
            for fact in reported:
                await facts.record_fact(session, fact, player_id=player_id, door="http")
        async with self.database.transaction() as session:
            await route_player(session, player_id, tokens=TOKENS, now=LATER)

    async def stored_row(self) -> ReferralRow:
        return await state.referral(self.database, self.row.id)

    async def act_request(
        self, *, at: datetime = LATER, signalled: SignalledFacts | None = None
    ) -> ActRequest:
        standing = standing_of(await self.stored_row())
        return ActRequest(
            referral_id=self.row.id, standing=standing, now=at, heard=signalled or SignalledFacts()
        )

    async def score(self, *, at: datetime = LATER) -> Scoring:
        return await self.fraud.score_fraud(await self.act_request(at=at))

    async def score_and_credit(self, request: ActRequest) -> Standing:
        return (await self.rewards.score_and_credit(request)).standing

    async def credit(self, *, at: datetime = LATER) -> Standing:
        await self.score(at=at)
        return await self.rewards.credit_reward(await self.act_request(at=at))

    async def wake(self, *, at: datetime = LATER) -> Stage:
        """Run the acts that the workflow runs when it is woken, and return the stage."""
        stage = (await self.stored_row()).stage
        if stage in CREDITED_STAGES:
            await self.rewards.compensate_reward(await self.act_request(at=at))
        elif stage is Stage.HELD:
            await self.rewards.resolve_hold(await self.act_request(at=at))
        else:
            await self.rewards.score_and_credit(await self.act_request(at=at))
        return (await self.stored_row()).stage

    async def latest_review(self) -> Review:
        async with self.database.reading() as session:
            review = await reviews.find_review(session, self.row.id)
        assert review is not None
        return review

    async def decide(self, choice: Choice, *, at: datetime = LATER) -> ReviewOutcome:
        """Decide the latest review as a reviewer does over HTTP."""
        review = await self.latest_review()
        async with self.database.transaction() as session:
            answer = await reviews.decide(
                session, review_id=review.id, decision=decision(choice, at=at)
            )
        return answer.outcome

    async def open_hold_reasons(self) -> set[HoldReason]:
        async with self.database.reading() as session:
            return {row.reason for row in await holds.open_holds(session, self.row.id)}

    async def referrer_balances(self) -> Balances:
        return await state.player_balances(self.database, self.row.referrer_id)


def acts_on(
    database: Database,
    row: ReferralRow,
    *providers: FraudProvider,
    has_wallet: bool = False,
    rule_set: RuleSet | None = None,
    thresholds: Thresholds = NO_THRESHOLDS,
) -> ReferralActs:
    locked = LockedReferrals(
        database,
        hasher=HASHER,
        tokens=TOKENS,
        has_wallet=has_wallet,
        rule_set=rule_set,
        thresholds=thresholds,
    )
    recent = RecentEvidence()
    return ReferralActs(
        database,
        row,
        FraudActivities(locked, providers, recent),
        ReferralActivities(locked),
        RewardActivities(locked, providers, recent),
    )


async def sign_up(
    database: Database,
    *providers: FraudProvider,
    terms: Terms = TERMS,
    budget: Money | None = None,
    offer: Offer | None = None,
    referrer_id: str | None = None,
    has_wallet: bool = False,
    jurisdiction: str = "US-NJ",
) -> ReferralActs:
    """Sign up a new player with a typed code."""
    async with database.transaction() as session:
        offer = offer or await an_offer(session, terms=terms, budget=budget)
        code = await a_code(session, offer, player_id=referrer_id)
        arrival = signup(code=code.code, jurisdiction=jurisdiction)
        await facts.record_fact(session, arrival, player_id=arrival.player_id, door="http")
        await route_player(session, arrival.player_id, tokens=TOKENS, now=NOW)
        query = select(ReferralRow).where(ReferralRow.referee_id == arrival.player_id)
        row = (await session.scalars(query)).one()
    return acts_on(database, row, *providers, has_wallet=has_wallet)


def card_of(acts: ReferralActs, *, other: bool = False) -> str:
    """Return a card that no other test has: links are found among all players."""
    digits = acts.row.id.hex
    return f"hm1:{digits[::-1] * 2 if other else digits * 2}"


async def record_referrer_deposit(acts: ReferralActs, *, at: datetime = NOW, card: str) -> None:
    """Record a deposit of the referrer with this payment instrument."""
    known = deposit(acts.row.referrer_id, at=at, payment_instrument=card)
    await acts.receives(known, player_id=acts.row.referrer_id)


async def record_referrer_signup(acts: ReferralActs, **traces: object) -> None:
    """Record a signup of the referrer, long before, with these device traits."""
    known = signup(acts.row.referrer_id, at=NOW - timedelta(days=300), **traces)
    await acts.receives(known, player_id=acts.row.referrer_id)
