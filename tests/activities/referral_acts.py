"""A referral moved by its acts alone, in the order in which its workflow would call them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from activities.fraud import FraudActivities, FraudProvider
from activities.messages import Heard, Look, Scoring
from activities.records import LockedReferrals
from activities.referrals import ReferralActivities
from activities.rewards import RewardActivities
from courier.route_player import route_player
from db.engine import Database
from db.tables import ReferralRow
from domain.campaigns.terms import Terms
from domain.intake.facts import Fact
from domain.lifecycle.referral import CREDITED_STAGES, Stage, Standing
from domain.money import Money
from domain.privacy import Hasher
from referrals.intake import facts
from referrals.lifecycle.stages import standing_of
from tests import state
from tests.builders import NOW, TERMS, TOKENS, Offer, a_code, an_offer, signup

HASHER: Final = Hasher("a key for tests, not a secret")
LATER: Final = NOW + timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Acting:
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

    async def hears(self, *heard: Fact, player_id: str | None = None) -> None:
        player_id = player_id or self.referee_id
        async with self.database.transaction() as session:
            for fact in heard:
                await facts.record_fact(session, fact, player_id=player_id, door="http")
        async with self.database.transaction() as session:
            await route_player(session, player_id, tokens=TOKENS, now=LATER)

    async def stored(self) -> ReferralRow:
        return await state.referral(self.database, self.row.id)

    async def look(self, *, at: datetime = LATER, heard: Heard | None = None) -> Look:
        standing = standing_of(await self.stored())
        return Look(referral_id=self.row.id, standing=standing, now=at, heard=heard or Heard())

    async def scored(self, *, at: datetime = LATER) -> Scoring:
        return await self.fraud.score_fraud(await self.look(at=at))

    async def credited(self) -> Standing:
        await self.scored()
        return await self.rewards.credit_reward(await self.look())

    async def woken(self) -> Stage:
        """What the workflow does when it hears something."""
        stage = (await self.stored()).stage
        if stage in CREDITED_STAGES:
            await self.rewards.compensate_reward(await self.look())
        elif stage is Stage.HELD:
            await self.rewards.resolve_hold(await self.look())
        elif (await self.scored()).verdict:
            await self.rewards.credit_reward(await self.look())
        return (await self.stored()).stage


def acting(database: Database, row: ReferralRow, *signals: FraudProvider) -> Acting:
    records = LockedReferrals(database, hasher=HASHER, tokens=TOKENS)
    return Acting(
        database,
        row,
        FraudActivities(records, signals),
        ReferralActivities(records),
        RewardActivities(records),
    )


async def signed_up(
    database: Database,
    *signals: FraudProvider,
    terms: Terms = TERMS,
    budget: Money | None = None,
    offer: Offer | None = None,
    referrer_id: str | None = None,
) -> Acting:
    """By way of a typed code."""
    async with database.transaction() as session:
        offer = offer or await an_offer(session, terms=terms, budget=budget)
        code = await a_code(session, offer, player_id=referrer_id)
        heard = signup(code=code.code)
        await facts.record_fact(session, heard, player_id=heard.player_id, door="http")
        await route_player(session, heard.player_id, tokens=TOKENS, now=NOW)
        query = select(ReferralRow).where(ReferralRow.referee_id == heard.player_id)
        row = (await session.scalars(query)).one()
    return acting(database, row, *signals)


async def record_referrer_signup(acts: Acting, **traces: object) -> None:
    """The referrer signed up long ago, and left these traces."""
    known = signup(acts.row.referrer_id, at=NOW - timedelta(days=300), **traces)
    await acts.hears(known, player_id=acts.row.referrer_id)
