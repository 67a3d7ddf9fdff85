"""Lives of referrals by direct calls of what the processes call, without Temporal and doors."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select

from activities.fraud import FraudActivities
from activities.locked_referrals import LockedReferrals
from activities.messages import ActRequest
from activities.recent_evidence import RecentEvidence
from activities.referrals import ReferralActivities
from activities.rewards import RewardActivities
from courier.route_player import route_player
from db.engine import Database, Session
from db.tables import ReferralRow
from domain.campaigns.rules import Rules
from domain.intake.facts import Chargeback, Deposit, Fact, Signup, TakeBack, Wager
from domain.lifecycle.referral import Standing
from domain.money import Money
from domain.privacy import Hasher
from referrals.attribution.clicks.batching import SessionClicks
from referrals.attribution.clicks.follow import follow_code
from referrals.attribution.clicks.followed_codes import Click
from referrals.attribution.tokens import Tokens
from referrals.campaigns.codes import get_or_create_code
from referrals.campaigns.publishing import make_live
from referrals.campaigns.store import FIRST_VERSION, load_version, lock_campaign
from referrals.campaigns.transitions import create_campaign
from referrals.campaigns.trial_campaign import ACTOR, TRIAL, publish_trial_campaign
from referrals.campaigns.views import Draft
from referrals.intake import facts
from referrals.lifecycle.stages import standing_of
from sandbox.benchmarks.growth.rows import Templates

RICH: Final = "default"
POOR: Final = "poor"
"""A campaign whose budget is spent by its first reward."""
BETTING: Final = "betting"
"""A campaign that asks for turnover."""
STAR: Final = "star"
"""The referrer with many referees."""
BETTOR: Final = "bettor"
"""A referee with many bets, and a deposit for which they are too little."""
LUCKY: Final = "lucky"
"""Another one, whose next bet reaches the turnover."""
TURNOVER: Final = Money(1_000_000, "USD")
ENOUGH: Final = Money(5_000, "USD")
LITTLE: Final = Money(1, "USD")
_SECRET: Final = "only of the benchmark"


@dataclass(frozen=True, slots=True)
class Life:
    """A referral, and its referee."""

    referral_id: UUID
    referee_id: str
    token: str


class Lives:
    """Plays the steps of referrals in one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.tokens = Tokens(_SECRET)
        locked = LockedReferrals(
            database,
            hasher=Hasher(_SECRET, public_url="https://refer.example"),
            tokens=self.tokens,
        )
        recent = RecentEvidence()
        self.referrals = ReferralActivities(locked)
        self.fraud = FraudActivities(locked, (), recent)
        self.rewards = RewardActivities(locked, (), recent)
        self._codes: dict[tuple[str, str], str] = {}

    async def begin(self) -> Templates:
        """Publish both campaigns, and play one life of each kind that is copied."""
        asking = replace(TRIAL.terms, rules=Rules(turnover=TURNOVER))
        async with self.database.transaction() as session:
            await publish_trial_campaign(session, at=datetime.now(UTC))
            await _publish(session, replace(TRIAL, slug=POOR, budget=TRIAL.terms.referrer_reward))
            await _publish(session, replace(TRIAL, slug=BETTING, terms=asking))
        for bettor in (BETTOR, LUCKY):
            life = replace(await self.invited("other", BETTING), referee_id=bettor)
            await self.report(self.signup(life), self.deposit(life), _bet(bettor))
        waiting = await self.signed_up("other")
        await self.report(_bet(waiting.referee_id))
        credited = await self.credited(STAR, RICH)
        await self.credited(STAR, POOR)
        deferred = await self.credited(STAR, POOR)
        return Templates(
            open=str(waiting.referral_id),
            credited=str(credited.referral_id),
            deferred=str(deferred.referral_id),
            star=STAR,
            betting=(BETTOR, LUCKY),
        )

    async def invited(self, referrer_id: str = STAR, campaign: str = RICH) -> Life:
        click = await self.click_of(referrer_id, campaign)
        return await self.click(click)

    async def signed_up(self, referrer_id: str = STAR, campaign: str = RICH) -> Life:
        life = await self.invited(referrer_id, campaign)
        await self.report(self.signup(life))
        return life

    async def funded(
        self, referrer_id: str = STAR, campaign: str = RICH, *, bets: int = 0
    ) -> tuple[Life, Deposit]:
        """Return a life with bets and a deposit that qualifies."""
        life = await self.signed_up(referrer_id, campaign)
        if bets:
            await self.report(*(_bet(life.referee_id) for _ in range(bets)))
        paid_in = self.deposit(life)
        await self.report(paid_in)
        return life, paid_in

    async def credited(self, referrer_id: str = STAR, campaign: str = RICH) -> Life:
        """Return a life whose deposit was scored and credited, as far as the budget goes."""
        life, _ = await self.funded(referrer_id, campaign)
        await self.score_and_credit(life)
        return life

    async def click_of(self, referrer_id: str = STAR, campaign: str = RICH) -> Click:
        return Click(
            code=await self._code(referrer_id, campaign),
            visitor=uuid4().hex,
            platform="web",
            at=datetime.now(UTC),
            ip=uuid4().hex,
        )

    async def click(self, click: Click) -> Life:
        async with self.database.autocommit() as session:
            result = await follow_code(SessionClicks(session), click)
        if result.referral_id is None or result.expires_at is None:
            raise RuntimeError(f"the click was refused: {result.outcome}")
        token = self.tokens.issue(result.referral_id, expires_at=result.expires_at)
        return Life(result.referral_id, uuid4().hex, token)

    def signup(self, life: Life) -> Signup:
        return Signup(
            event_id=uuid4().hex,
            occurred_at=datetime.now(UTC),
            player_id=life.referee_id,
            platform="web",
            jurisdiction="US-NJ",
            currency="USD",
            referral_token=life.token,
            device_id=uuid4().hex,
            ip=uuid4().hex,
        )

    def deposit(self, life: Life, amount: Money = ENOUGH) -> Deposit:
        return Deposit(
            event_id=uuid4().hex,
            occurred_at=datetime.now(UTC),
            player_id=life.referee_id,
            deposit_id=uuid4().hex,
            amount=amount,
            payment_instrument=uuid4().hex,
        )

    def chargeback(self, paid_in: Deposit) -> Chargeback:
        return Chargeback(
            event_id=uuid4().hex,
            occurred_at=datetime.now(UTC),
            player_id=paid_in.player_id,
            deposit_id=paid_in.deposit_id,
            kind=TakeBack.CHARGEBACK,
        )

    def bet(self, player_id: str, stake: Money = LITTLE, *, days: float = 0) -> Wager:
        return replace(
            _bet(player_id), stake=stake, occurred_at=datetime.now(UTC) + timedelta(days=days)
        )

    async def report(self, *reported: Fact) -> None:
        """Record facts of one player, and route them."""
        for fact in reported:
            await self.record(fact)
        await self.route(_player_of(reported[0]))

    async def record(self, fact: Fact) -> None:
        async with self.database.autocommit() as session:
            await facts.record_fact(session, fact, player_id=_player_of(fact), door="http")

    async def route(self, player_id: str) -> None:
        async with self.database.transaction() as session:
            await route_player(session, player_id, tokens=self.tokens, now=datetime.now(UTC))

    async def admit(self, life: Life) -> None:
        await self.referrals.admit_signup(await self._request(life))

    async def score_and_credit(self, life: Life) -> None:
        await self.rewards.score_and_credit(await self._request(life))

    async def score(self, life: Life) -> None:
        await self.fraud.score_fraud(await self._request(life))

    async def credit(self, life: Life) -> None:
        await self.rewards.credit_reward(await self._request(life))

    async def compensate(self, life: Life) -> None:
        await self.rewards.compensate_reward(await self._request(life))

    async def settle(self, life: Life) -> None:
        await self.rewards.settle_referral(await self._request(life))

    async def expire(self, life: Life) -> None:
        """Expire a referral at its deadline, by a clock that is there already."""
        request = await self._request(life)
        await self.referrals.expire_referral(
            replace(request, now=request.standing.until + timedelta(seconds=1))
        )

    async def standing(self, life: Life) -> Standing:
        async with self.database.reading() as session:
            query = select(ReferralRow).where(ReferralRow.id == life.referral_id)
            return standing_of((await session.scalars(query)).one())

    async def _request(self, life: Life) -> ActRequest:
        return ActRequest(
            referral_id=life.referral_id,
            standing=await self.standing(life),
            now=datetime.now(UTC),
        )

    async def _code(self, player_id: str, campaign: str) -> str:
        key = player_id, campaign
        if key not in self._codes:
            async with self.database.transaction() as session:
                drawn = await get_or_create_code(
                    session,
                    player_id=player_id,
                    campaign=campaign,
                    vanity=None,
                    at=datetime.now(UTC),
                )
            self._codes[key] = drawn.code or ""
        return self._codes[key]


async def _publish(session: Session, draft: Draft) -> None:
    await create_campaign(session, draft, ACTOR)
    row = await lock_campaign(session, draft.slug)
    if row is None:
        raise RuntimeError("the campaign was created in this transaction")
    version = await load_version(session, row, FIRST_VERSION)
    await make_live(session, row, version, ACTOR, at=datetime.now(UTC))


def _bet(player_id: str) -> Wager:
    return Wager(
        event_id=uuid4().hex, occurred_at=datetime.now(UTC), player_id=player_id, stake=LITTLE
    )


def _player_of(fact: Fact) -> str:
    player_id: str = getattr(fact, "player_id")  # noqa: B009 - every fact of this module has one
    return player_id
